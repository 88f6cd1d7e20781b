//! What the vault and the connections ask of a person, and what comes of it.

use super::super::errand::{Done, Errand, Upshot, in_words};
use super::super::overlay::{Again, Ask, Asked, Overlay};
use super::super::pane::PaneId;
use super::{App, Effect};
use crate::keys::Chord;
use crate::model::ConnectionId;
use crate::service::connect;
use crate::service::held::Lock;

const NO_VAULT: &str = "there is no vault here";
const NOT_YET: &str = "there is no vault yet: connecting makes one";
const OPEN: &str = "no passphrase protects the vault: it is open to whoever is you on this machine";

impl App {
    /// Asks for the passphrase, where the vault has one and is locked.
    pub(super) fn unlock(&mut self) {
        let why = self.cannot_write().or_else(|| match &self.look.vault {
            None => Some(NO_VAULT.to_owned()),
            Some(Lock::Missing) => Some(NOT_YET.to_owned()),
            Some(Lock::Open) => Some(OPEN.to_owned()),
            Some(Lock::Unlocked) => Some("it is unlocked already".to_owned()),
            Some(Lock::Broken(why)) => Some(why.to_string()),
            Some(Lock::Locked) => None,
        });
        match why {
            Some(why) => self.notice = Some(why),
            None => self.overlays.push(Overlay::Ask(Box::new(Ask::unlock()))),
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
            Some(Lock::Missing) => self.notice = Some(NOT_YET.to_owned()),
            Some(Lock::Open) => self.notice = Some(OPEN.to_owned()),
            Some(Lock::Locked | Lock::Broken(_)) => {
                self.notice = Some("it is locked already".to_owned());
            }
        }
    }

    /// Closes what asks for a secret, half typed or not: nobody is there to go on with it. Whether
    /// there was anything.
    pub(super) fn wipe_secrets(&mut self) -> bool {
        let before = self.overlays.len();
        self.overlays.retain(|it| !matches!(it, Overlay::Ask(ask) if !ask.is_sending()));
        self.overlays.len() != before
    }

    /// Asks for what connects to a service: anew, or a connection that no longer works.
    pub(super) fn connect(&mut self, again: Option<Again>) {
        let why = self.cannot_write().or_else(|| match &self.look.vault {
            None => Some("the sample household is connected to nobody".to_owned()),
            Some(Lock::Broken(why)) => Some(why.to_string()),
            Some(_) => None,
        });
        let mut services = connect::services().into_iter();
        let service = match &again {
            Some(again) => services.find(|it| it.id == again.provider.as_str()),
            None => services.next(),
        };
        match (why, service, &self.look.vault) {
            (None, Some(service), Some(lock)) => {
                let ask = Ask::connect(service, lock.clone(), again);
                self.overlays.push(Overlay::Ask(Box::new(ask)));
            }
            (why, ..) => self.notice = why,
        }
    }

    /// Asks one connection now.
    pub(super) fn fetch_one(&mut self, connection: ConnectionId, effects: &mut Vec<Effect>) {
        match (self.cannot_write(), &self.look.progress) {
            (Some(why), _) => self.notice = Some(why),
            (None, None) => self.notice = Some("this session does not refresh".to_owned()),
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
            Asked::Send(errand) => {
                match self.count_in(&errand) {
                    Ok(()) => {
                        self.number += 1;
                        ask.waits_for(self.number);
                        effects.push(Effect::Send(self.number, errand));
                    }
                    Err(why) => ask.stays(why),
                }
                true
            }
        }
    }

    /// How the vault is now.
    pub(super) fn vault_is(&mut self, lock: Lock) {
        let leaves = lock != Lock::Locked;
        self.look.vault = Some(lock);
        // Another page, or another program, has opened it.
        if leaves
            && let Some(Overlay::Ask(ask)) = self.overlays.last()
            && ask.is_unlock()
            && !ask.is_sending()
        {
            self.overlays.pop();
        }
        self.refresh();
    }

    /// Something that is no edit is done, or has failed: the page that waits for it hears of it
    /// first. Who left that page is somewhere else by now, and stays there.
    pub(super) fn settled(&mut self, page: Option<u64>, ended: &Upshot) {
        let said = in_words(ended, self.look.figures);
        let waiting = self.overlays.iter_mut().enumerate().find_map(|(at, it)| match it {
            Overlay::Ask(ask) if page.is_some() && ask.awaited() == page => Some((at, ask)),
            _ => None,
        });
        match (waiting, ended) {
            (Some((_, ask)), Err(_)) => {
                ask.refused(said, self.look.vault.as_ref());
                return;
            }
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
