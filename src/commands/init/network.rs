//! The VPC.

use super::question::{Asker, Question};
use super::subnets::{self, PRIVATE, PUBLIC, ZONES_MIN};
use super::survey::Survey;
use super::written::{PRIVATE_SUBNETS, VPC, Written};
use crate::cli;
use crate::outcome::{Failed, Problem};

/// Chooses it, and its subnets.
///
/// # Errors
/// Somebody was asked, and a signal or the end of the input came instead of an answer.
pub async fn choose(
    args: &cli::Init,
    survey: &Survey,
    asker: &mut Asker<'_>,
    written: &mut Written,
) -> Result<(), Failed> {
    let Some(vpc) = vpc(args, survey, asker, written).await? else { return Ok(()) };
    written.text(VPC, &vpc);
    subnets::choose(&PRIVATE, &args.private_subnets, &vpc, survey, asker, written).await?;
    if written.is_public() {
        subnets::choose(&PUBLIC, &args.public_subnets, &vpc, survey, asker, written).await?;
    }
    Ok(())
}

/// The one that the flags name, the only one, the only one that fits, or the answer.
async fn vpc(
    args: &cli::Init,
    survey: &Survey,
    asker: &mut Asker<'_>,
    written: &mut Written,
) -> Result<Option<String>, Failed> {
    let named = args.private_subnets.first().or(args.public_subnets.first());
    let of_named = survey.subnets.iter().flatten().find(|one| Some(&one.id) == named).map(|one| one.vpc.clone());
    let vpcs = match (&survey.vpcs, args.vpc.clone().or(of_named)) {
        (Ok(vpcs), Some(id)) if !vpcs.iter().any(|one| one.id == id) => {
            let there: Vec<&str> = vpcs.iter().map(|one| one.id.as_str()).collect();
            let what = format!("there is no {id} in {}; there are: {}", written.region, there.join(", "));
            asker.problems.push(Problem::new(what, "Correct --vpc, or look at --region and --profile."));
            return Ok(None);
        }
        (_, Some(id)) => return Ok(Some(id)),
        (Err(why), None) => {
            written.unseen(VPC, why);
            written.unseen(PRIVATE_SUBNETS, why);
            return Ok(None);
        }
        (Ok(vpcs), None) => vpcs,
    };
    let zones: Vec<(usize, usize)> = vpcs.iter().map(|one| subnets::zones(&one.id, survey)).collect();
    let candidates = vpcs.iter().zip(&zones).map(|(one, (private, open))| {
        let plural = if *private == 1 { "" } else { "s" };
        let has = format!("private subnets in {private} zone{plural}, with a way out in {open}");
        (one.id.clone(), format!("{}, {has}", one.words))
    });
    let with = |fits: fn(&(usize, usize)) -> bool| -> Vec<usize> {
        zones.iter().enumerate().filter(|(_, zones)| fits(zones)).map(|(at, _)| at).collect()
    };
    let open = with(|(_, open)| *open >= ZONES_MIN);
    let fits = if open.is_empty() { with(|(private, _)| *private >= ZONES_MIN) } else { open };
    Ok(match (vpcs.len(), fits.as_slice()) {
        (0, _) => {
            let what = format!("there is no VPC in {}", written.region);
            let cure = "Make one with private subnets in two zones, name another region with --region, or write the \
                        example with --example.";
            asker.problems.push(Problem::new(what, cure));
            None
        }
        (1, _) => Some(vpcs[0].id.clone()),
        (_, fits) => {
            let (what, candidates) = ("the VPC".to_owned(), candidates.collect());
            let (default, is_clear) = (fits.first().copied().unwrap_or_default(), fits.len() == 1);
            Some(asker.choose(Question { what, flag: "--vpc", candidates, default, is_clear }).await?)
        }
    })
}
