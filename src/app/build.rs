//! Puts the service together.

use crate::app::lines::lines;
use crate::clock::Clock;
use crate::config::Settings;
use crate::flows::service::Service;
use crate::store::{Db, centres};
use crate::templates::Templates;
use anyhow::Result;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

/// Loads the message templates. The error lists every problem.
pub fn load_templates(settings: &Settings) -> Result<Templates> {
    Templates::load(settings.templates.as_deref()).map_err(|problems| {
        let mut text = String::from("the message templates cannot be used:");
        for p in problems {
            let _ = write!(text, "\n  {p}");
        }
        anyhow::anyhow!(text)
    })
}

/// Puts the service together on an open database. `listen` is where the webhooks really listen.
pub async fn build(
    settings: &Settings,
    db: Db,
    clock: Clock,
    listen: SocketAddr,
) -> Result<Arc<Service>> {
    let templates = load_templates(settings)?;
    let lines = lines(settings, &centres::all(&db).await?, listen)?;
    Ok(Service::new(
        db,
        clock,
        templates,
        lines,
        settings.alert_to.clone(),
    ))
}
