//! What the vault and the connections ask of a person, and what comes of it.

use super::super::errand::{Done, Errand, Upshot, in_words};
use super::super::overlay::{Ask, Asked, Overlay};
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

    /// Lets go of the key that somebody gave.
    pub(super) fn lock(&mut self, effects: &mut Vec<Effect>) {
        match &self.look.vault {
            Some(Lock::Unlocked) => self.begin(Errand::Lock, effects),
            None => self.notice = Some(NO_VAULT.to_owned()),
            Some(Lock::Missing) => self.notice = Some(NOT_YET.to_owned()),
            Some(Lock::Open) => self.notice = Some(OPEN.to_owned()),
            Some(Lock::Locked | Lock::Broken(_)) => {
                self.notice = Some("it is locked already".to_owned());
            }
        }
    }

    /// Asks for what connects to a service.
    pub(super) fn connect(&mut self) {
        let why = self.cannot_write().or_else(|| match &self.look.vault {
            None => Some("the sample household is connected to nobody".to_owned()),
            Some(Lock::Broken(why)) => Some(why.to_string()),
            Some(_) => None,
        });
        let service = connect::services().into_iter().next();
        match (why, service, &self.look.vault) {
            (None, Some(service), Some(lock)) => {
                let ask = Ask::connect(service, lock.clone());
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
                if let Err(why) = self.try_to_begin(errand, effects) {
                    ask.stays(why);
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

    /// Something that is no edit is done, or has failed: a page that waits for it hears of it first.
    pub(super) fn settled(&mut self, ended: &Upshot) {
        let said = in_words(ended, self.look.figures);
        let is_asked = matches!(ended, Ok(Done::Unlocked | Done::Connected(..)) | Err(_));
        let waiting = self.overlays.last_mut().and_then(|overlay| match overlay {
            Overlay::Ask(ask) if is_asked && ask.is_sending() => Some(ask),
            _ => None,
        });
        match (waiting, ended) {
            (Some(ask), Err(_)) => {
                ask.refused(said, self.look.vault.as_ref());
                return;
            }
            (Some(_), Ok(_)) => drop(self.overlays.pop()),
            (None, _) => {}
        }
        self.notice = Some(said);
        if let Ok(Done::Connected(..)) = ended {
            self.go(PaneId::Connections);
        }
    }
}
