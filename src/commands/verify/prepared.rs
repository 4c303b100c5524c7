//! What is sent to the service, and how: everything that is refused is refused before any call.

use std::path::Path;

use crate::cli;
use crate::commands::Reach;
use crate::oz::{BaseUrl, Capture, Picture, Refused, Token, Tunnel, Web};
use crate::resolver::Dns;
use crate::sandbox;

/// The input of a verification.
pub struct Prepared {
    /// For a real liveness call.
    pub capture: Option<Capture>,
    /// To compare the capture's best shot with.
    pub reference: Option<Picture>,
    /// The service's access token.
    pub token: Option<Token>,
    /// The service, when it is not the stack's.
    pub base: Option<BaseUrl>,
    /// What every connection goes through.
    pub tunnel: Option<Tunnel>,
    /// Trust and routes.
    pub web: Web,
    /// Where names are asked.
    pub dns: Dns,
}

impl Prepared {
    /// Reads all of it.
    ///
    /// # Errors
    /// Something cannot be used.
    pub async fn read(
        args: &cli::Verify,
        capture: Option<&Path>,
        reference: Option<&Path>,
        reach: &Reach<'_>,
    ) -> Result<Prepared, Refused> {
        let mut capture = capture.map(|path| Capture::read(path, &args.overrides.read())).transpose()?;
        let mut reference = reference.map(Picture::read).transpose()?;
        if capture.is_none() && reference.is_some() {
            return Err(Refused::new(
                "a reference without a capture",
                "Its best shot is what a reference is compared with: --capture FILE.",
            ));
        }
        if capture.is_none() && reach.sandbox.is_some() {
            capture = Some(Capture::parse(sandbox::sample_capture().to_string().as_bytes(), false)?);
            reference = Picture::new(sandbox::sample_reference());
        }
        let token = Token::read(args.service.token_file.as_deref())?;
        let base = args.base_url.as_deref().map(|url| BaseUrl::parse(url, args.service.allow_http)).transpose()?;
        let base = base.map(|base| args.service.led(base));
        let tunnel = args.service.connect_to.clone();
        let (web, dns) = reach.web_and_dns(args.service.ca_file.as_deref()).await?;
        Ok(Prepared { capture, reference, token, base, tunnel, web, dns })
    }
}
