# The stack of `landkeeper deploy`, through CloudFormation: Terraform brings its files to a bucket and hands them over.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

# A file's digest is in its key: a new package, policy or template is something new to CloudFormation, and the functions
# refuse a policy or a configuration whose content has another digest. Let nobody else write into the bucket.
resource "aws_s3_object" "file" {
  for_each = local.keys

  bucket      = var.bucket
  key         = each.value
  source      = "${var.files}/${each.key}"
  source_hash = filesha256("${var.files}/${each.key}")

  # The old one goes when the stack has let go of it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "landkeeper" {
  name         = local.stack_name
  template_url = "https://${var.bucket}.s3.${var.region}.${var.dns_suffix}/${local.keys["landkeeper.yaml"]}"
  parameters   = local.parameters
  capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
  on_failure   = "ROLLBACK"
  tags         = var.tags

  depends_on = [aws_s3_object.file]

  timeouts {
    create = "60m"
    update = "60m"
    delete = "60m"
  }
}
