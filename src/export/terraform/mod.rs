//! The stack in Terraform's language: a block for each resource, and one that imports it.

mod balancing;
mod identity;
mod instances;
mod network;

use serde_json::Value;

use super::hcl::{Block, Names, quoted};
use super::live::Live;
use super::{Heading, hcl};
use crate::cloud::Tags;
use crate::engine::Key;

/// A resource as Terraform has it.
struct Resource {
    key: Key,
    kind: &'static str,
    /// By what Terraform finds it.
    import: String,
    /// The id that others hold, and the attribute that gives it.
    gives: Option<(String, &'static str)>,
    body: Block,
}

impl Resource {
    fn new(key: Key, kind: &'static str, import: impl Into<String>) -> Resource {
        let body = Block::new(format!("resource \"{kind}\" \"{key}\""));
        Resource { key, kind, import: import.into(), gives: None, body }
    }

    fn giving(self, id: Option<&str>, attribute: &'static str) -> Resource {
        Resource { gives: id.map(|id| (id.to_owned(), attribute)), ..self }
    }

    fn with(self, body: impl FnOnce(Block) -> Block) -> Resource {
        Resource { body: body(self.body), ..self }
    }
}

/// The stack as a configuration of Terraform 1.5 or later with its provider for AWS, 5.
pub fn terraform(live: &Live, heading: &Heading) -> String {
    let mut text = head(heading);
    let (mut names, mut resources) = (Names::new(), Vec::new());
    resources.extend(network::resources(live));
    resources.extend(identity::resources(live));
    resources.extend(instances::template(live));
    resources.extend(balancing::resources(live));
    resources.extend(instances::fleet(live));
    for Resource { key, kind, import, gives, body } in resources {
        let import = Block::new("import").expression("to", format!("{kind}.{key}")).field("id", import);
        // Each may name those above it, and none itself: there is no circle.
        text += &format!("\n{}\n{}", import.written(&Names::new()), body.written(&names));
        names.extend(gives.map(|(id, attribute)| (id, format!("{kind}.{key}.{attribute}"))));
    }
    text
}

fn head(heading: &Heading) -> String {
    let Heading { stack, region, left_out } = heading;
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        "# The stack {} in {region}, as AWS has it; written by deploy {version}.\n\
         # `terraform init` and `terraform plan` show what is imported; `terraform apply` imports it into Terraform's \
         state.\n\
         # From then on Terraform keeps the stack: let no `deploy up` change it besides.\n\
         # Network, image, certificate and hosted zone are named by their ids, and are not imported.\n",
        one_line(stack)
    );
    for (key, why) in left_out {
        text += &format!("# Not in here: {key}: {}\n", one_line(why));
    }
    let provider = Block::new("required_providers")
        .expression("aws", format!("{{ source = {}, version = {} }}", quoted("hashicorp/aws"), quoted("~> 5.0")));
    let settings = Block::new("terraform").field("required_version", ">= 1.5").block(provider);
    let aws = Block::new("provider \"aws\"").field("region", region.as_str());
    text + &format!("\n{}\n{}", settings.written(&Names::new()), aws.written(&Names::new()))
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
}

impl Block {
    /// The tags of a resource. Those of AWS itself cannot be set.
    fn tags(self, live: &Live, key: Key) -> Block {
        let tags = live.tags.get(key).map(settable).unwrap_or_default();
        if tags.is_empty() { self } else { self.field("tags", map(&tags)) }
    }

    /// What is not written down stays as it is: each attribute with the reason.
    fn ignoring(self, ignored: &[(&str, String)]) -> Block {
        if ignored.is_empty() {
            return self;
        }
        let notes = ignored.iter().map(|(attribute, why)| one_line(&format!("{attribute}: {why}"))).collect();
        let attributes: Vec<&str> = ignored.iter().map(|(attribute, _)| *attribute).collect();
        let list = format!("[{}]", attributes.join(", "));
        self.block(hcl::Block::new("lifecycle").noting(notes).expression("ignore_changes", list))
    }
}

fn settable(tags: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| !key.starts_with("aws:")).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn map(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
}
