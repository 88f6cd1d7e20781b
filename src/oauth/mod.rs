//! A consent by OAuth 2: the question that its owner answers in a browser, what the browser came back
//! with, pasted or waited for on this machine, and the tokens that come for it. It makes requests and
//! reads answers; who sends them, keeps what came and when that is due is for others.
//!
//! Every answer is read leniently where services differ and strictly where it matters: who sent the
//! browser back is proved by the `state`, an access is a bearer's, and a token that is missing,
//! empty or of the wrong kind is never kept. Nothing that a service says of a token is repeated.

mod certificate;
mod listener;
mod login;
mod tokens;

pub use certificate::Certificate;
pub use listener::{Listener, NotListening, PATIENCE};
pub use login::{Code, Login, NoCode};
pub use tokens::{Tokens, Untaken, ask_with_code, ask_with_refresh, told};

use ring::rand::SecureRandom as _;

use crate::model::hex;

/// The machine has no chance to give: nothing that must not be guessed can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this machine gives no random numbers; nothing that must not be guessed can be made")]
pub struct NoChance;

/// 256 bits that nobody guesses, in letters that need no code in an address.
fn secret_word() -> Result<String, NoChance> {
    let mut bytes = [0; 32];
    ring::rand::SystemRandom::new().fill(&mut bytes).map_err(|_| NoChance)?;
    Ok(hex(&bytes))
}
