//! The table of what is worth another try, held against AWS's whole sentences: each that must be found has a neighbour
//! that must not be.

use serde::Deserialize;

use crate::support::{Error, retryable};

fn refused(operation: &str, code: &str, message: &str) -> Error {
    Error::Refused {
        service: "any".to_owned(),
        operation: operation.to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: None,
    }
}

/// A sentence, and a part of the reason to try again; `None`: it is not tried again.
#[derive(Debug, Deserialize)]
struct Sentence {
    operation: String,
    code: String,
    says: String,
    why: Option<String>,
}

#[test]
fn what_aws_says_while_it_catches_up_is_tried_again_and_its_neighbours_are_not() {
    let sentences: Vec<Sentence> = serde_yaml::from_str(include_str!("../golden/retryable.yaml")).unwrap();
    for Sentence { operation, code, says, why } in sentences {
        let found = retryable(&refused(&operation, &code, &says)).map(|retryable| retryable.why);
        let fits = match &why {
            Some(why) => found.is_some_and(|found| found.contains(why.as_str())),
            None => found.is_none(),
        };
        assert!(fits, "{operation} {code}: {says}: {found:?}");
    }
}
