//! A consent that is given in a browser, from the dashboard: the address to sign in at, kept by the page
//! that shows it, and what the browser ends at, pasted there or come by itself.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::{AbortHandle, JoinHandle};

use super::errand::{Done, Hidden, Key, Upshot, Wanted};
use crate::config::Config;
use crate::model::Secret;
use crate::service::Session;
use crate::service::consent::{self, Asking, Login, NoCode, PATIENCE};
use crate::service::held;
use crate::service::refresh::How;
use crate::tasks::{self, Task};

/// A sign-in that was begun, and nobody has answered yet. Whoever drops it listens no more.
pub struct SignIn {
    wanted: Wanted,
    login: Arc<Login>,
    /// Waits for a browser on this machine; an error: nobody can, and why.
    browser: Result<Browser, String>,
}

/// What waits for a browser.
struct Browser {
    comes: Mutex<Option<JoinHandle<Option<Secret>>>>,
    ends: AbortHandle,
}

/// What a browser ended at, and what opens the vault where it was locked meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// To which question.
    pub sign_in: Arc<SignIn>,
    /// The address, or the code in it.
    pub address: Hidden,
    /// For the vault.
    pub key: Key,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn")
    }
}

/// No two are the same: each has a `state` of its own.
impl PartialEq for SignIn {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for SignIn {}

impl Drop for SignIn {
    fn drop(&mut self) {
        if let Ok(browser) = &self.browser {
            browser.ends.abort();
        }
    }
}

impl SignIn {
    /// The address to sign in at. Who sees it can do nothing with it.
    #[must_use]
    pub fn url(&self) -> &str {
        self.login.url().as_str()
    }

    /// Where the browser ends.
    #[must_use]
    pub fn callback(&self) -> &str {
        self.login.callback()
    }

    /// What somebody wants with it; the app is in it where they typed it.
    #[must_use]
    pub const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Why nobody waits for a browser on this machine; none: somebody does.
    #[must_use]
    pub fn is_alone(&self) -> Option<&str> {
        self.browser.as_ref().err().map(String::as_str)
    }

    /// Why what was pasted cannot be an answer to any question: it can be pasted again. An answer to
    /// another one is none of these, and ends this one.
    #[must_use]
    pub fn mistake(&self, pasted: &Secret) -> Option<String> {
        match self.login.read(pasted) {
            Err(why @ (NoCode::Nothing | NoCode::Question | NoCode::Elsewhere { .. })) => {
                Some(why.to_string())
            }
            _ => None,
        }
    }

    /// Whether a browser came back with the answer to this question.
    #[must_use]
    pub fn is_answered_by(&self, address: &Secret) -> bool {
        self.login.is_answered_by(address)
    }

    /// The browser that is waited for, to whoever asks first; none: nobody waits.
    pub(super) fn browser(&self) -> Option<JoinHandle<Option<Secret>>> {
        let browser = self.browser.as_ref().ok()?;
        browser.comes.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Begins one; where the app is not known, its owner has to say it first.
pub(super) async fn begin(session: &Session, config: &Config, how: &How, wanted: Wanted) -> Upshot {
    let asking = asking(session, config, how, &wanted, wanted.key.clone()).await?;
    if asking.app.is_none() {
        return Ok(Done::NeedsApp);
    }
    let login = Arc::new(asking.login()?);
    let browser = wait(session, config, &login).await;
    // What opened the vault is of no more use.
    let wanted = Wanted { key: Key::Ready, ..wanted };
    Ok(Done::Asked(Arc::new(SignIn { wanted, login, browser })))
}

/// Keeps the consent that an answer gives.
pub(super) async fn finish(
    session: &Session,
    config: &Config,
    how: &How,
    answer: Answer,
) -> Upshot {
    let SignIn { wanted, login, .. } = &*answer.sign_in;
    let asking = asking(session, config, how, wanted, answer.key).await?;
    let done = asking.finish(login, &answer.address.secret()).await?;
    Ok(Done::Connected(done.connection.label, done.already))
}

async fn asking<'a>(
    session: &'a Session,
    config: &'a Config,
    how: &How,
    wanted: &Wanted,
    key: Key,
) -> Result<Asking<'a>, crate::service::Error> {
    let keeper = held::open(session, config, &how.held, key.opening()).await?;
    let goal = (wanted.goal, wanted.name.clone());
    let mut asking = Asking::begin_with(session, config, keeper, &wanted.provider, goal).await?;
    if let [key, secret] = wanted.brought.as_slice() {
        asking.take_app(&key.secret(), &secret.secret())?;
    }
    Ok(asking)
}

/// Waits for a browser on this machine too, where that can be.
async fn wait(session: &Session, config: &Config, login: &Arc<Login>) -> Result<Browser, String> {
    let listener = consent::listen(config, &session.clock, login).await;
    let listener = listener.map_err(|error| error.to_string())?;
    let login = Arc::clone(login);
    let comes = tasks::spawn(Task::Callback, async move { listener.wait(&login, PATIENCE).await });
    Ok(Browser { ends: comes.abort_handle(), comes: Mutex::new(Some(comes)) })
}
