//! Regions and endpoints as people mistype them: found before any call, which would end in a name that is not found.

use url::Url;

/// The regions of AWS (botocore, partitions.json), for a cure. A new one is accepted when it is made of known words.
const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Why a region cannot be one, with the one that was meant when that can be told.
///
/// # Errors
/// It is none: some word of it is in no region's name, or it has no number at its end.
pub fn check(region: &str) -> Result<(), String> {
    let mut words: Vec<&str> = region.split('-').collect();
    let number = words.pop().unwrap_or_default();
    let is_number = !number.is_empty() && number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = |word: &&str| REGIONS.iter().any(|region| region.split('-').any(|known| known == *word));
    // A country that is not known yet has two letters.
    let begins = words.first().is_some_and(|first| is_known(first) || first.len() == 2 && is_lower(first));
    if is_number && words.len() >= 2 && begins && words[1..].iter().all(is_known) {
        return Ok(());
    }
    let like = |known: &&&str| strsim::damerau_levenshtein(known, &region.to_lowercase().replace('_', "-"));
    let near = REGIONS.iter().min_by_key(like).filter(|known| like(known) <= 3);
    Err(near.map_or_else(|| "regions are written as eu-central-1".to_owned(), |near| format!("did you mean {near}?")))
}

fn is_lower(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Why the address of an endpoint cannot be called, as a cure.
///
/// # Errors
/// It is no URL of http or https with a host.
pub fn check_endpoint(address: &str) -> Result<(), String> {
    let url = Url::parse(address).ok();
    if url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Ok(());
    }
    let whole = format!("http://{}", address.trim_start_matches(['/', ':']));
    let is_url = Url::parse(&whole).is_ok_and(|url| url.has_host()) && !address.contains("://");
    Err(if is_url { format!("write {whole}") } else { "write it as https://host:port".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{REGIONS, check, check_endpoint};

    #[test]
    fn regions_that_are_none_are_told_with_the_nearest() {
        assert!(REGIONS.iter().all(|region| check(region).is_ok()));
        assert_eq!(check("nz-north-3"), Ok(()), "a region of a country to come");
        for typed in ["eu-centrl-1", "EU-CENTRAL-1", "eu-central-1a", "eu_central_1", "eu-central", "eu-cetnral-1"] {
            assert_eq!(check(typed), Err("did you mean eu-central-1?".to_owned()), "{typed}");
        }
        assert_eq!(check("Frankfurt"), Err("regions are written as eu-central-1".to_owned()));
        assert!(check("").is_err());
    }

    #[test]
    fn endpoints_that_are_no_urls_are_told_with_what_was_meant() {
        assert_eq!(check_endpoint("127.0.0.1:1"), Err("write http://127.0.0.1:1".to_owned()));
        assert_eq!(check_endpoint("localhost:5000"), Err("write http://localhost:5000".to_owned()));
        assert_eq!(check_endpoint("ftp://host"), Err("write it as https://host:port".to_owned()));
        assert_eq!(check_endpoint("http://127.0.0.1:1"), Ok(()));
    }
}
