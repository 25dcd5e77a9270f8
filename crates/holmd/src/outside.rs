//! What requests read from the machine themselves, over the host: the seam that keeps the API away from it.

use std::sync::Arc;

use holm_core::{
    name::{ContainerName, SecretName, ServiceId},
    render::names,
};
use holm_host::{Host, HostError};
use tokio::sync::mpsc;

use crate::api::{Answer, Outside, OutsideError};

/// The host, for requests.
pub struct OverHost<H>(pub Arc<H>);

impl<H: Host> Outside for OverHost<H> {
    fn reveal(&self, service: &ServiceId, secret: &SecretName) -> Answer<'_, String> {
        let (service, secret) = (service.clone(), secret.clone());
        Box::pin(async move {
            let opened = self.0.reveal(&service, &secret).await.map_err(outside)?;
            Ok(opened.expose().to_owned())
        })
    }

    fn ca_certificate(&self) -> Answer<'_, Option<String>> {
        Box::pin(async move { self.0.ca_certificate().await.map_err(outside) })
    }

    fn logs(
        &self,
        service: &ServiceId,
        container: &ContainerName,
        follow: bool,
        tail: u32,
    ) -> Answer<'_, mpsc::Receiver<Vec<u8>>> {
        let name = names::container(service, container);
        Box::pin(async move { self.0.logs(&name, follow, tail).await.map_err(outside) })
    }
}

fn outside(error: HostError) -> OutsideError {
    OutsideError {
        title: format!("Could not {}: {}", error.tried, error.why),
        hint: error.hint,
    }
}
