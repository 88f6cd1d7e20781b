//! What the vault and the connections ask of a person, and what comes of it.

use std::sync::Arc;

use super::super::errand::{Done, Errand, Hidden, Upshot, in_words};
use super::super::live::to_renew;
use super::super::overlay::{Again, Ask, Asked, Overlay, Step};
use super::super::pane::PaneId;
use super::super::sign_in::SignIn;
use super::acting::NOT_REFRESHING;
use super::{App, Effect};
use crate::keys::Chord;
use crate::model::ConnectionId;
use crate::service::connect;
use crate::service::held::Lock;

const NOTHING_ENDS: &str = "no connection needs a new consent";
const COPIED: &str = "the address is copied, where the terminal lets programs copy";
const UNKNOWN: &str = "this version does not know its service; it may be of a newer one";
const NO_VAULT: &str = "there is no vault here";
const NOT_YET: &str = "there is no vault yet: connecting makes one";
const OPEN: &str = "no passphrase protects the vault: it is open to whoever is you on this machine";

impl App {
    /// Asks for the passphrase. What is typed at once must not be seen, so the page is there before it
    /// is known whether it is needed: where it is not, it goes again.
    pub(super) fn unlock(&mut self, effects: &mut Vec<Effect>) {
        match self.cannot_look_at_vault(NO_VAULT) {
            Some(why) => self.notice = Some(why),
            None => {
                self.overlays.push(Overlay::Ask(Box::new(Ask::unlock())));
                effects.push(Effect::LookAtVault);
            }
        }
    }

    /// Lets go of the key that somebody gave, even where the trail cannot be told of it.
    pub(super) fn lock(&mut self, effects: &mut Vec<Effect>) {
        match &self.look.vault {
            Some(Lock::Unlocked) => {
                effects.push(Effect::Lock);
                self.vault_is(Lock::Locked);
                if let Err(why) = self.try_to_begin(Errand::Lock, effects) {
                    self.notice = Some(format!("locked; the trail does not tell of it: {why}"));
                }
            }
            None => self.notice = Some(NO_VAULT.to_owned()),
            Some(_) => {
                self.asks_how_vault_is = true;
                effects.push(Effect::LookAtVault);
            }
        }
    }

    /// Why the vault is of no interest here; none: it can be looked at.
    fn cannot_look_at_vault(&self, without: &str) -> Option<String> {
        let has_none = self.look.vault.is_none().then(|| without.to_owned());
        self.cannot_write().or(has_none)
    }

    /// Closes what asks for a secret, half typed or not: nobody is there to go on with it. What waits
    /// for an answer closes with it. Whether there was anything.
    pub(super) fn wipe_secrets(&mut self) -> bool {
        for overlay in &mut self.overlays {
            if let Overlay::Ask(ask) = overlay {
                ask.ends_with_answer();
            }
        }
        let before = self.overlays.len();
        self.overlays.retain(|it| !matches!(it, Overlay::Ask(ask) if !ask.is_sending()));
        self.overlays.len() != before
    }

    /// Asks for what connects to a service: anew, or a connection that no longer works. As with
    /// [`App::unlock`], the page is there at once, and asks for what the vault turns out to need.
    pub(super) fn connect(&mut self, again: Option<Again>, effects: &mut Vec<Effect>) {
        let why = self.cannot_look_at_vault("the sample household is connected to nobody");
        let mut services = connect::services();
        if let Some(again) = &again {
            services.retain(|it| it.id == again.provider.as_str());
        }
        match (why, &self.look.vault) {
            (None, Some(lock)) if !services.is_empty() => {
                let mut ask = Ask::connect(services, lock.clone(), again);
                // Where there is nothing to type it begins at once.
                if let Asked::Send(errand) = ask.begin() {
                    self.send_for(&mut ask, errand, effects);
                }
                self.overlays.push(Overlay::Ask(Box::new(ask)));
                effects.push(Effect::LookAtVault);
            }
            (why, _) => self.notice = why.or_else(|| Some(UNKNOWN.to_owned())),
        }
    }

    /// Asks for the consent that is needed first: one that is lost, else the one that ends next.
    pub(super) fn renew(&mut self, effects: &mut Vec<Effect>) {
        let needed = self.look.snapshot.as_ref().and_then(|snapshot| to_renew(snapshot));
        match needed.map(|row| Again::of(&row.connection)) {
            Some(again) => self.connect(Some(again), effects),
            None => self.notice = Some(NOTHING_ENDS.to_owned()),
        }
    }

    /// A browser came back to this machine: the page that shows its address goes on by itself.
    pub(super) fn came(&mut self, address: Hidden, effects: &mut Vec<Effect>) {
        let is_page = |overlay: &Overlay| matches!(overlay, Overlay::Ask(_));
        let Some(at) = self.overlays.iter().rposition(is_page) else { return };
        let Overlay::Ask(mut ask) = self.overlays.remove(at) else { return };
        if let Asked::Send(errand) = ask.came(address) {
            self.send_for(&mut ask, errand, effects);
        }
        self.overlays.insert(at, Overlay::Ask(ask));
    }

    /// Nobody waits any more for the browser that a page told of: it begins anew.
    pub(super) fn late(&mut self, sign_in: &SignIn) {
        for overlay in &mut self.overlays {
            if let Overlay::Ask(ask) = overlay {
                ask.late(sign_in, self.look.vault.as_ref());
            }
        }
    }

    /// Sends what a page asks for, and lets it wait.
    fn send_for(&mut self, ask: &mut Ask, errand: Errand, effects: &mut Vec<Effect>) {
        match self.count_in(&errand) {
            Ok(()) => {
                self.number += 1;
                ask.waits_for(self.number);
                effects.push(Effect::Send(self.number, errand));
            }
            Err(why) => ask.stays(why),
        }
    }

    /// Asks one connection now.
    pub(super) fn fetch_one(&mut self, connection: ConnectionId, effects: &mut Vec<Effect>) {
        match (self.cannot_write(), &self.look.progress) {
            (Some(why), _) => self.notice = Some(why),
            (None, None) => self.notice = Some(NOT_REFRESHING.to_owned()),
            (None, Some(_)) => {
                self.notice = Some("refreshing…".to_owned());
                effects.push(Effect::RefreshOne(connection));
            }
        }
    }

    /// False: the page is done.
    pub(super) fn ask_key(
        &mut self,
        ask: &mut Ask,
        chord: Chord,
        effects: &mut Vec<Effect>,
    ) -> bool {
        match ask.press(chord) {
            Asked::Open => true,
            Asked::Left => false,
            Asked::Copy(text) => {
                self.notice = Some(COPIED.to_owned());
                effects.push(Effect::Copy(text));
                true
            }
            Asked::Send(errand) => {
                self.send_for(ask, errand, effects);
                true
            }
        }
    }

    /// How the vault is now. A page that asks for what it no longer needs goes, whoever opened it.
    pub(super) fn vault_is(&mut self, lock: Lock) {
        let asked = std::mem::take(&mut self.asks_how_vault_is);
        let is_over = match self.overlays.last_mut() {
            Some(Overlay::Ask(ask)) if !ask.is_sending() => !ask.goes_on_with(&lock),
            _ => false,
        };
        if is_over {
            self.overlays.pop();
        }
        if asked || is_over {
            self.notice = Some(in_place_of_page(&lock));
        }
        self.look.vault = Some(lock);
        self.refresh();
    }

    /// Something that is no edit is done, or has failed: the page that waits for it hears of it
    /// first. Who left that page is somewhere else by now, and stays there.
    pub(super) fn settled(&mut self, page: Option<u64>, ended: &Upshot) {
        let said = in_words(ended, self.look.figures);
        let waits = |ask: &Ask| page.is_some() && ask.awaited() == page;
        self.overlays.retain(|it| !matches!(it, Overlay::Ask(ask) if waits(ask) && ask.is_left()));
        let waiting = self.overlays.iter_mut().enumerate().find_map(|(at, it)| match it {
            Overlay::Ask(ask) if waits(ask) => Some((at, ask)),
            _ => None,
        });
        match (waiting, ended) {
            (Some((_, ask)), Err(_)) => {
                ask.refused(said, self.look.vault.as_ref());
                return;
            }
            (Some((_, ask)), Ok(Done::NeedsApp)) => {
                ask.goes_on(Step::App, self.look.vault.as_ref());
                return;
            }
            (Some((_, ask)), Ok(Done::Asked(sign_in))) => {
                ask.goes_on(Step::Address(Arc::clone(sign_in)), self.look.vault.as_ref());
                return;
            }
            // Nobody looks at the page any more: it is as if nothing had been begun.
            (None, Ok(Done::NeedsApp | Done::Asked(_))) => return,
            (Some((at, _)), Ok(done)) => {
                self.overlays.remove(at);
                if let Done::Connected(..) = done {
                    self.go(PaneId::Connections);
                }
            }
            (None, _) => {}
        }
        self.notice = Some(said);
    }
}

/// What is said where nothing has to be asked for.
fn in_place_of_page(lock: &Lock) -> String {
    match lock {
        Lock::Missing => NOT_YET.to_owned(),
        Lock::Open => OPEN.to_owned(),
        Lock::Unlocked => "it is unlocked already".to_owned(),
        Lock::Locked => "it is locked already".to_owned(),
        Lock::Broken(why) => why.to_string(),
    }
}
