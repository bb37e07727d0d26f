variable "files" {
  description = "The folder that `landkeeper deploy --template-only` wrote."
  type        = string
}

variable "bucket" {
  description = "A bucket of yours, in the stack's region, for the files; the functions read the policy from it."
  type        = string
}

variable "region" {
  description = "The region of the stack and the bucket, the provider's own."
  type        = string
}

variable "parameters" {
  description = "Parameters of the stack's template, beside those that its files settle."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setsubtract(keys(var.parameters), [
      "Accounts", "Actions", "AuditSchedule", "AutoScaling", "CreateTrail", "DeleteDefaultVpcs", "EventDelaySeconds",
      "EventForwarding", "ExternalId", "KeepReport", "KeyArn", "LaunchEvents", "LedgerDays", "LogDays", "LogReaderRoleArn",
      "ManagementAccountId", "MaxCapacity", "MemberRegions", "MemberUnits", "NetworkPrincipalArn", "NetworkRoleName",
      "NoticesSchedule", "OrganizationId", "OrganizationTrail", "PointInTimeRecovery", "PoolConcurrency", "ReadRoleName",
      "Regions", "ReportDays", "ReportEmail", "SpareTagged", "StackBlocksPerHour", "StackSetsAs", "TerminateRoleName",
      "TrackerSchedule", "TrailArn", "TrailBucketAccount", "TrailBucketEvents", "TrailBucketName", "TrailDays",
      "TrailEvents", "TrailKeyArn", "TrailPrefix", "TrailTopicArn", "WorkerConcurrency",
    ])) == 0
    error_message = "parameters has one that the stack's template does not have, or that its files settle."
  }
}

variable "tags" {
  description = "Tags of the stack and everything in it."
  type        = map(string)
  default     = {}
}

variable "dns_suffix" {
  description = "What S3's addresses end in: amazonaws.com.cn in China."
  type        = string
  default     = "amazonaws.com"
}
