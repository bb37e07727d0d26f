output "vpc_table" {
  description = "The table of VPCs."
  value       = aws_cloudformation_stack.landkeeper.outputs["VpcTable"]
}

output "ledger_table" {
  description = "The table of Broom's cases."
  value       = aws_cloudformation_stack.landkeeper.outputs["LedgerTable"]
}

output "trail_bucket" {
  description = "The bucket that log files are read from."
  value       = aws_cloudformation_stack.landkeeper.outputs["TrailBucket"]
}

output "log_files_topic_arn" {
  description = "The topic that tells of new log files; null where an existing one does."
  value       = lookup(aws_cloudformation_stack.landkeeper.outputs, "LogFilesTopicArn", null)
}

output "reports_topic_arn" {
  description = "The topic of reports and alarms."
  value       = aws_cloudformation_stack.landkeeper.outputs["ReportsTopicArn"]
}

output "broom_queue_url" {
  description = "The queue that feeds Broom."
  value       = aws_cloudformation_stack.landkeeper.outputs["BroomQueueUrl"]
}

output "broom_dead_letters_url" {
  description = "What Broom could not deal with."
  value       = aws_cloudformation_stack.landkeeper.outputs["BroomDeadLettersUrl"]
}

output "dispatcher_function" {
  description = "The function that sends the accounts out."
  value       = aws_cloudformation_stack.landkeeper.outputs["DispatcherFunction"]
}

output "tracker_function" {
  description = "The function that reads accounts."
  value       = aws_cloudformation_stack.landkeeper.outputs["TrackerFunction"]
}

output "report_bucket" {
  description = "The private bucket with the report; null where none is kept."
  value       = lookup(aws_cloudformation_stack.landkeeper.outputs, "ReportBucket", null)
}

output "notices_function" {
  description = "The function that tells notices."
  value       = aws_cloudformation_stack.landkeeper.outputs["NoticesFunction"]
}

output "pool_function_arn" {
  description = "The function that stacks ask for blocks: their ServiceToken in this region."
  value       = aws_cloudformation_stack.landkeeper.outputs["PoolFunctionArn"]
}

output "work_queue_url" {
  description = "The queue of accounts to read."
  value       = aws_cloudformation_stack.landkeeper.outputs["WorkQueueUrl"]
}

output "work_dead_letters_url" {
  description = "Accounts that could not be dealt with."
  value       = aws_cloudformation_stack.landkeeper.outputs["WorkDeadLettersUrl"]
}

output "events_queue_url" {
  description = "The queue of changes to VPCs."
  value       = aws_cloudformation_stack.landkeeper.outputs["EventsQueueUrl"]
}

output "event_dead_letters_url" {
  description = "Changes that could not be dealt with."
  value       = aws_cloudformation_stack.landkeeper.outputs["EventDeadLettersUrl"]
}

output "broom_function" {
  description = "Broom's function."
  value       = aws_cloudformation_stack.landkeeper.outputs["BroomFunction"]
}

output "tracker_role_arn" {
  description = "The role that member accounts let read."
  value       = aws_cloudformation_stack.landkeeper.outputs["TrackerRoleArn"]
}

output "broom_role_arn" {
  description = "The role that member accounts let end instances."
  value       = aws_cloudformation_stack.landkeeper.outputs["BroomRoleArn"]
}
