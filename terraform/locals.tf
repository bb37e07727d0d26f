# What of the files goes where. No provider is needed to work this out.

locals {
  # As `landkeeper deploy --template-only` wrote them.
  written = {
    for each in jsondecode(file("${var.files}/parameters.json")) : each.ParameterKey => each.ParameterValue
  }

  # Every key there is STACK/FILE, and the template's names are written out for that stack.
  stack_name = split("/", local.written["CodeKey"])[0]

  # The file that each parameter ending in Key names.
  named = {
    for name in ["CodeKey", "PolicyKey", "ConfigKey", "MemberRolesKey", "MemberEventsKey"] :
    name => trimprefix(local.written[name], "${local.stack_name}/") if contains(keys(local.written), name)
  }

  keys = {
    for file in concat(values(local.named), ["landkeeper.yaml"]) :
    file => "${local.stack_name}/${filesha256("${var.files}/${file}")}-${file}"
  }

  parameters = merge(
    local.written,
    var.parameters,
    { CodeBucket = var.bucket },
    { for name, file in local.named : name => local.keys[file] },
  )
}
