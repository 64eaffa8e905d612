//! The Sync service itself over HTTP.

use super::{MAX_PAGE, SyncAnswer, SyncCall};
use crate::rest::page::Page;
use crate::rest::reply::Reply;

/// The emulator has one Sync Service.
pub(super) fn list(call: &SyncCall<'_>) -> SyncAnswer {
    let page = Page::read(call.request, &[], MAX_PAGE)?;
    page.reply_by_position("services", &[call.place().service()], Clone::clone)
}

pub(super) fn fetch(call: &SyncCall<'_>) -> SyncAnswer {
    call.request.no_parameters()?;
    Ok(Reply::json(200, &call.place().service()))
}

pub(super) fn update(call: &mut SyncCall<'_>) -> SyncAnswer {
    let form = call.request.form()?;
    form.only(&[
        "FriendlyName",
        "WebhookUrl",
        "WebhooksFromRestEnabled",
        "ReachabilityWebhooksEnabled",
        "ReachabilityDebouncingEnabled",
        "ReachabilityDebouncingWindow",
        "AclEnabled",
    ])?;
    let acl = form.boolean("AclEnabled")?;
    let from_rest = form.boolean("WebhooksFromRestEnabled")?;
    let reachability = form.boolean("ReachabilityWebhooksEnabled")?;
    let debouncing = form.boolean("ReachabilityDebouncingEnabled")?;
    let window = form.integer("ReachabilityDebouncingWindow", 1000..=30_000)?;
    let service = &mut call.inner.service;
    if let Some(name) = form.one("FriendlyName") {
        name.clone_into(&mut service.friendly_name);
    }
    if let Some(url) = form.one("WebhookUrl") {
        service.webhook_url = Some(url).filter(|url| !url.is_empty()).map(str::to_owned);
    }
    service.acl_enabled = acl.unwrap_or(service.acl_enabled);
    service.webhooks_from_rest = from_rest.unwrap_or(service.webhooks_from_rest);
    service.reachability_webhooks = reachability.unwrap_or(service.reachability_webhooks);
    service.debouncing = debouncing.unwrap_or(service.debouncing);
    service.debouncing_window = window.unwrap_or(service.debouncing_window);
    service.updated = call.now;
    Ok(Reply::json(200, &call.place().service()))
}
