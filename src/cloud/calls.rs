//! Each call to AWS as one event, for `-v`, `-vv` and `--trace`: service, operation, time, answer, and the parameters.

use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// The target of these events.
pub const CALLS: &str = "deploy::calls";

/// Tells of every attempt of every call.
#[derive(Debug)]
pub struct Told;

/// What was asked; what the SDK marks as sensitive is redacted in it.
#[derive(Debug)]
struct Parameters(String);

impl Storable for Parameters {
    type Storer = StoreReplace<Parameters>;
}

#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Began>;
}

#[dyn_dispatch_hint]
impl Intercept for Told {
    fn name(&self) -> &'static str {
        "Told"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if tracing::enabled!(target: CALLS, tracing::Level::TRACE) {
            bag.interceptor_state().store_put(Parameters(without_nothing(&format!("{:?}", context.input()))));
        }
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(Began(Instant::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !tracing::enabled!(target: CALLS, tracing::Level::DEBUG) {
            return Ok(());
        }
        let (operation, service) = match bag.load::<Metadata>() {
            Some(metadata) => (metadata.name().to_owned(), metadata.service().to_lowercase().replace(' ', "")),
            None => Default::default(),
        };
        let milliseconds = bag.load::<Began>().map_or(0, |began| began.0.elapsed().as_millis() as u64);
        let status = context.response().map_or(0, |response| response.status().as_u16());
        let answer = match (context.output_or_error(), status) {
            (Some(Ok(_)), _) => "ok".to_owned(),
            (_, 0) => "no answer".to_owned(),
            (_, status) => format!("refused with {status}"),
        };
        if let Some(Parameters(parameters)) = bag.load::<Parameters>() {
            tracing::trace!(target: CALLS, %service, %operation, milliseconds, %answer, %parameters);
        } else {
            tracing::debug!(target: CALLS, %service, %operation, milliseconds, %answer);
        }
        Ok(())
    }
}

/// What Rust prints of an input, without the fields that are not set.
fn without_nothing(input: &str) -> String {
    // The SDK wraps it: TypeErasedInput(TypeErasedBox[!Clone]:…).
    let inner = input.split_once("]:").map(|(_, inner)| inner.strip_suffix(')').unwrap_or(inner));
    let input = inner.unwrap_or(input);
    let Some((name, fields)) = input.split_once(" { ") else { return input.to_owned() };
    let set: Vec<&str> = fields.split(", ").filter(|field| !field.trim_end_matches(" }").ends_with(": None")).collect();
    let fields = set.join(", ");
    format!("{} {{ {} }}", name.trim_start(), fields.trim_end_matches(" }"))
}

#[cfg(test)]
mod tests {
    use super::without_nothing;

    #[test]
    fn what_is_not_set_is_not_told() {
        let input = "Input(TypeErasedBox[!Clone]:ImagesInput { a: None, name: Some(\"x\"), b: None, c: None })";
        assert_eq!(without_nothing(input), "ImagesInput { name: Some(\"x\") }");
        assert_eq!(without_nothing("DescribeImagesInput"), "DescribeImagesInput");
    }
}
