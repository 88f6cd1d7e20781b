//! What a page asks for that connects to a service, with the vault as it is, and what it says above.

use std::sync::Arc;

use crate::model::{Connection, ConnectionId, SafeText};
use crate::service::connect::{Asks, Service};
use crate::service::held::Lock;
use crate::tui::sign_in::SignIn;

const SEALED: &str = "It is exchanged, where it serves once, for an access that can only read. Neither is \
     ever shown, or kept anywhere but sealed.";
const KEYS: &str = "They could trade; nothing but reading is ever done with them. Neither is ever shown, or \
     kept anywhere but sealed.";
const VAULT: &str = "Secrets are sealed in a vault, which is made now. Its passphrase unlocks it \
     after each start, and nobody can tell you what it was. Without one the key is protected by the \
     mode of its file alone, as on a home server.";

/// What an app is known by, and what a browser ends at.
const APP: &[&str] = &["app key", "app secret"];
const ADDRESS: &[&str] = &["that address"];

/// How far somebody is who gives a consent in a browser; of all other services there is but the first.
#[derive(Clone, Debug, Default)]
pub enum Step {
    /// Nothing was asked of the service.
    #[default]
    First,
    /// It has to be said which app this program is.
    App,
    /// There is an address to sign in at.
    Address(Arc<SignIn>),
}

/// What somebody wants to be connected to, with the vault as it is: anew, or a connection again.
#[derive(Clone, Debug)]
pub(super) struct Connecting {
    /// Those to choose from; one at least.
    pub services: Vec<Service>,
    pub chosen: usize,
    pub lock: Lock,
    pub again: Option<Again>,
    pub step: Step,
}

impl Connecting {
    pub fn service(&self) -> Option<&Service> {
        self.services.get(self.chosen)
    }

    /// What it asks for that nobody else may see.
    pub fn secrets(&self) -> &'static [&'static str] {
        match (self.service().map(|service| service.asks), &self.step) {
            (Some(Asks::Secrets { called, .. }), _) => called,
            (Some(Asks::Browser { .. }), Step::App) => APP,
            (Some(Asks::Browser { .. }), Step::Address(_)) => ADDRESS,
            _ => &[],
        }
    }

    /// What comes of it is sealed in the vault.
    pub fn is_sealed(&self) -> bool {
        self.service().is_some_and(|service| service.asks != Asks::Nothing)
    }

    /// It is known what it is called.
    const fn has_name(&self) -> bool {
        self.again.is_some() || matches!(self.step, Step::Address(_))
    }

    /// The fields of its page. Whoever comes with a token pastes it at once: that must be where it is
    /// not seen, so the name stands below.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.services.len() > 1 && matches!(self.step, Step::First) {
            parts.push(Part::Service);
        }
        match self.lock {
            _ if !self.is_sealed() => {}
            Lock::Locked => parts.push(Part::Passphrase),
            Lock::Missing => parts.extend([Part::Passphrase, Part::Again]),
            Lock::Open | Lock::Unlocked | Lock::Broken(_) => {}
        }
        parts.extend((0..self.secrets().len()).map(Part::Given));
        if !self.has_name() {
            parts.push(Part::Name);
        }
        parts
    }

    /// What stands above the fields.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(again) = &self.again {
            let same = match self.service().map(|service| service.asks) {
                Some(Asks::Browser { .. }) => "sign in with",
                _ => "bring what is of",
            };
            words.push(format!(
                "Its accounts and rows go on: {same} the same login as that of {}.",
                again.name
            ));
        }
        match self.service().map(|service| (service, service.asks)) {
            Some((_, Asks::Secrets { from, called })) => {
                let is_pair = called.len() > 1;
                let them = if is_pair { "them" } else { "it" };
                let made = called.join(" and ");
                words.push(format!("Make a {made} at {from} and paste {them} here."));
                words.push(if is_pair { KEYS } else { SEALED }.to_owned());
            }
            Some((service, Asks::Nothing)) => words.push(format!(
                "{} can be asked by anybody: it is known by its name alone, and keeps no secret.",
                service.title
            )),
            Some((service, Asks::Browser { portal })) => {
                words.push(in_browser(service, portal, &self.step));
            }
            None => {}
        }
        match &self.lock {
            Lock::Missing if self.is_sealed() => words.push(VAULT.to_owned()),
            Lock::Broken(why) if self.is_sealed() => {
                words.push(format!("Nothing can be sealed now: {why}"));
            }
            _ => {}
        }
        words
    }
}

/// How a consent is given that needs a browser.
fn in_browser(Service { title, .. }: &Service, portal: &str, step: &Step) -> String {
    match step {
        Step::App => format!(
            "{title} knows programs by an app that you register at {portal}; its key and its secret \
             stand there. Neither is ever shown, or kept anywhere but sealed with the consent."
        ),
        _ => format!(
            "{title} wants a consent in a browser, on whichever machine: the next page has the address \
             to sign in at, and takes the one that the browser ends at. It can only read."
        ),
    }
}

/// A connection that no longer works, and needs another token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// Which.
    pub id: ConnectionId,
    /// What it is called.
    pub name: SafeText,
    /// Its service.
    pub provider: SafeText,
}

impl Again {
    /// That connection.
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        let Connection { id, label, provider, .. } = connection;
        Self { id: *id, name: label.clone(), provider: provider.clone() }
    }
}

/// What a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Service,
    Passphrase,
    Again,
    /// Of what the service gives, the one of this number.
    Given(usize),
    Name,
}
