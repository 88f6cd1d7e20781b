//! The dashboard without a terminal: keys go in, a screen comes out.
#![allow(dead_code, reason = "every test file compiles its own copy and uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test helper that cannot go on should stop the test at once"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use dashtam::clock::Clock;
use dashtam::config::{Colours, Config, Environment, Overrides};
use dashtam::keys::{Keymap, parse_chords};
use dashtam::service::refresh::How;
use dashtam::service::{Access, Session, demo, held};
use dashtam::state::{State, View};
use dashtam::tui::{App, Effect, Errand, Listed, Memo, Msg, Options, ThemeName};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tempfile::TempDir;

/// Each layout, and a phone.
pub const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 50), (60, 30)];

/// Each pane, and its key; not what was done, which names the process.
pub const PANES: [(&str, &str); 15] = [
    ("overview", "0"),
    ("accounts", "1"),
    ("holdings", "2"),
    ("transactions", "3"),
    ("chart", "4"),
    ("performance", "5"),
    ("allocation", "6"),
    ("income", "7"),
    ("watch", "8"),
    ("imports", "9"),
    ("health", "g h"),
    ("security", "g s"),
    ("settings", "g o"),
    ("connections", "g n"),
    ("reconcile", "x"),
];

/// Ways to each pane with what it opens, and to each overlay.
pub const WAYS: [&str; 61] = [
    "0",
    "1",
    "1 o",
    "1 j j",
    "2 o o o j",
    "2 L j j",
    "2 c",
    "3 j j",
    "3 G",
    "4",
    "4 j j m h v",
    "4 m",
    "4 j i",
    "4 j i i i L",
    "4 j & A A A Enter",
    "5 o j j",
    "5 o o G",
    "6 o o j",
    "6 i 5 0 0 Enter",
    "7 o j",
    "7 o f G",
    "8 j",
    "8 o j",
    "8 o o",
    "9 j",
    "9 z",
    "Esc g h j j",
    "g a j",
    "2 j Enter j",
    "2 ?",
    "Esc Ctrl-p b",
    "Esc 1 =",
    "Esc 2 j =",
    "Esc 3 =",
    "Esc 4 h =",
    "Esc 5 =",
    "Esc 6 =",
    "Esc 7 =",
    "Esc : x",
    "Esc 2 s",
    "Esc 3 v j j",
    "Esc 0 +",
    "Esc g o j",
    "g o Enter t o r",
    "Esc y g u",
    "Esc g m",
    "Esc 2 g c",
    "Esc 6 s Enter",
    "Esc 7 g c Space Enter",
    "Esc 3 a",
    "Esc 3 e Down",
    "Esc 2 j S",
    "Esc 2 j P",
    "Esc 1 j e",
    "Esc 1 j B",
    "Esc 6 e",
    "Esc g n j",
    "g n d",
    "Esc x j",
    "Esc 8 a",
    "Esc 8 A",
];

/// Several threads, as in the program: reading goes on while frames are drawn.
pub fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(test);
}

/// The same over the sample household, which is closed in the end.
pub fn on_demo(size: (u16, u16), test: impl AsyncFnOnce(&mut Dashboard)) {
    run(async {
        let mut dashboard = Dashboard::demo(size, options()).await;
        test(&mut dashboard).await;
        dashboard.close().await;
    });
}

/// The day on which everything is looked at.
pub const NOW: &str = "2026-11-21T15:00:00Z";

/// A dashboard over a store.
pub struct Dashboard {
    pub app: App,
    pub size: (u16, u16),
    /// What it wanted of the world beyond the state.
    pub wanted: Vec<Effect>,
    /// What it wanted to remember.
    pub remembered: Vec<Memo>,
    /// How it refreshes, and where its vault is.
    pub how: How,
    state: State,
    session: Session,
    _folder: Option<TempDir>,
}

pub fn clock() -> Clock {
    Clock::fixed(NOW.parse().unwrap(), chrono_tz::Tz::UTC)
}

pub fn options() -> Options {
    Options {
        keymap: Keymap::standard(),
        colours: Some(Colours::Sixteen),
        ascii: false,
        private: false,
        theme: ThemeName::default(),
        visited: None,
        visited_before: None,
        memory: None,
        swapped: false,
        tables: BTreeMap::new(),
        views: BTreeMap::new(),
        read_only: false,
        cover: None,
        lock: None,
        view: View::default(),
        notice: None,
        setup: None,
    }
}

impl Dashboard {
    /// Over the sample household.
    pub async fn demo(size: (u16, u16), options: Options) -> Self {
        let (session, folder) = demo::open(&clock()).await.unwrap();
        Self::over(session, Some(folder), size, options).await
    }

    /// What a screen of the sample household shows after these keys.
    pub async fn after(size: (u16, u16), keys: &str) -> String {
        let mut dashboard = Self::demo(size, options()).await;
        dashboard.keys(keys).await;
        let screen = dashboard.screen();
        dashboard.close().await;
        screen
    }

    /// Over a store with nothing in it.
    pub async fn empty(size: (u16, u16), options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags =
            Overrides { data_dir: Some(folder.path().join("data")), ..Overrides::default() };
        let config = Config::load(&flags, &Environment::default()).unwrap();
        let session = Session::open(&config, &clock(), Access::Write).await.unwrap();
        Self::over(session, Some(folder), size, options).await
    }

    /// Over any store.
    pub async fn over(
        session: Session,
        folder: Option<TempDir>,
        size: (u16, u16),
        options: Options,
    ) -> Self {
        let state = session.watch(options.view);
        let app = App::new(options, size);
        let mut dashboard = Self {
            app,
            size,
            wanted: Vec::new(),
            remembered: Vec::new(),
            how: demo::CADENCE.into(),
            state,
            session,
            _folder: folder,
        };
        dashboard.settle().await;
        dashboard
    }

    /// Presses keys, apart by blanks, and waits until everything asked for is there.
    pub async fn keys(&mut self, keys: &str) {
        for chord in parse_chords(keys).unwrap() {
            self.tell(Msg::Key(chord));
            self.settle().await;
        }
    }

    /// Presses keys so fast that nothing is answered between them.
    pub fn press(&mut self, keys: &str) {
        for chord in parse_chords(keys).unwrap() {
            self.tell(Msg::Key(chord));
        }
    }

    pub fn tell(&mut self, msg: Msg) {
        for effect in self.app.update(msg) {
            match effect {
                Effect::Ask(ask) => self.state.ask(ask),
                Effect::Remember(memo) => self.remembered.push(memo),
                Effect::List(query) => self.tell(Msg::Listed(Box::new(Listed::of(query)))),
                Effect::Lock => self.how.held.let_go(),
                other => self.wanted.push(other),
            }
        }
    }

    pub async fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.tell(Msg::Resize(size.0, size.1));
        self.settle().await;
    }

    /// Waits until the cursor rests and nothing is asked for any more.
    pub async fn settle(&mut self) {
        if self.app.is_moving() {
            self.tell(Msg::Rested);
        }
        let looks = |effect: &Effect| matches!(effect, Effect::LookAtVault);
        if let Some(at) = self.wanted.iter().position(looks) {
            self.wanted.remove(at);
            self.look_at_vault().await;
        }
        while self.app.is_waiting() {
            self.hear().await;
        }
    }

    /// Waits no longer than until this is seen.
    pub async fn until(&mut self, text: &str) {
        while !self.screen().contains(text) {
            self.hear().await;
        }
    }

    /// Takes in what was read next.
    async fn hear(&mut self) {
        let waited = tokio::time::timeout(Duration::from_secs(30), async {
            tokio::select! {
                changed = self.state.snapshots.changed() => {
                    changed.expect("a keeper");
                    self.state.snapshots.borrow_and_update().clone().map(Msg::Snapshot)
                }
                answer = self.state.answers.recv() => answer.map(Msg::Answer),
            }
        });
        if let Some(msg) = waited.await.expect("an answer") {
            self.tell(msg);
        }
    }

    /// Does what was begun, as the program would, and waits until it is seen.
    pub async fn work(&mut self) {
        for effect in std::mem::take(&mut self.wanted) {
            match effect {
                Effect::Begin(errand) => self.run(None, errand).await,
                Effect::Send(page, errand) => self.run(Some(page), errand).await,
                other => self.wanted.push(other),
            }
        }
        self.catch_up().await;
    }

    async fn run(&mut self, page: Option<u64>, errand: Errand) {
        let ended = errand.run(&self.session, &self.how, &|_| {}).await;
        self.look_at_vault().await;
        self.tell(Msg::Errand(page, Box::new(ended)));
    }

    /// Tells how the vault is, as the program does.
    pub async fn look_at_vault(&mut self) {
        if let Some(config) = &self.how.config {
            let lock = held::lock_of(&self.session, config, &self.how.held).await;
            self.tell(Msg::Vault(lock));
        }
    }

    /// Waits until the newest of the store is seen.
    pub async fn catch_up(&mut self) {
        let newest = self.session.store.revision().await.unwrap();
        loop {
            let shown = self.state.snapshots.borrow_and_update().clone();
            if let Some(shown) = shown.filter(|shown| shown.revision >= newest) {
                self.tell(Msg::Snapshot(shown));
                break;
            }
            let changed = self.state.snapshots.changed();
            tokio::time::timeout(Duration::from_secs(30), changed).await.unwrap().unwrap();
        }
        self.settle().await;
        // What was asked before is answered once more.
        let pause = Duration::from_millis(300);
        while let Ok(Some(answer)) = tokio::time::timeout(pause, self.state.answers.recv()).await {
            self.tell(Msg::Answer(answer));
        }
        self.settle().await;
    }

    /// The session that it shows, for what somebody else does meanwhile.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// What was copied, in order.
    pub fn copied(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        for effect in &self.wanted {
            if let Effect::Copy(text) = effect {
                texts.push(text.as_str());
            }
        }
        texts
    }

    /// The screen as it is drawn now.
    pub fn buffer(&self) -> Buffer {
        drawn(&self.app, self.size)
    }

    /// The same as lines of text.
    pub fn screen(&self) -> String {
        text(&self.buffer())
    }

    pub async fn close(self) {
        self.state.stop().await;
        self.session.close().await;
    }
}

/// What an app draws on a screen of this size.
pub fn drawn(app: &App, (width, height): (u16, u16)) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    app.draw(area, &mut buffer);
    buffer
}

/// A screen as lines of text.
pub fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut hidden = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            // What a wide character covers is no column of its own.
            if hidden == 0 {
                line.push_str(symbol);
                hidden = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            } else {
                hidden -= 1;
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
