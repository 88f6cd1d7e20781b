//! The configuration as a whole: who wins, what is refused, and what is said about it.

use super::*;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

const CANARY: &str = "hunter2canary";

/// A home folder of its own; nothing of the real environment is seen.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn config(&self, text: &str) {
        self.write(".config/dashtam/config.toml", text, 0o600);
    }

    fn load(&self, flags: &Overrides, more: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let home = self.0.path().to_str().unwrap();
        let variables = [("HOME", home), ("TZ", "UTC")];
        let all = variables.iter().chain(more).copied();
        Config::load(flags, &Environment::new(all))
    }

    fn refused(&self, flags: &Overrides, more: &[(&str, &str)]) -> String {
        let message = self.load(flags, more).unwrap_err().to_string();
        assert!(!message.contains('\n') && !message.contains(CANARY), "{message}");
        message
    }
}

fn database(url: &str) -> Overrides {
    Overrides { database: Some(SecretString::from(url)), ..Overrides::default() }
}

fn password(config: &Config) -> Option<&str> {
    match &config.database.value {
        Database::Postgres(url) => url.password.as_ref().map(ExposeSecret::expose_secret),
        Database::Sqlite(_) => None,
    }
}

#[test]
fn without_anything_the_defaults_hold() {
    let home = Home::new();
    let config = home.load(&Overrides::default(), &[]).unwrap();
    assert_eq!(config.data_dir.value, home.path(".local/share/dashtam"));
    assert_eq!(config.log_dir(), home.path(".local/state/dashtam/log"));
    assert_eq!(config.file.value, home.path(".config/dashtam/config.toml"));
    assert!(!config.file_exists && config.warnings().is_empty());
    let sqlite = home.path(".local/share/dashtam/dashtam.db");
    assert_eq!(config.database.value.to_string(), format!("sqlite:{}", sqlite.display()));
    assert_eq!(config.log_level.value, Level::INFO);
    assert_eq!(config.log_keep_days.value, 14);
    for row in config.effective() {
        let expected = match row.value.0.as_str() {
            "timezone" => "environment TZ",
            _ => "default",
        };
        assert_eq!(row.from.to_string(), expected, "{}", row.value.0);
    }
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let home = Home::new();
    let name = |flags: &Overrides, more: &[(&str, &str)]| {
        let config = home.load(flags, more).unwrap();
        (config.data_dir.value, config.data_dir.from.to_string())
    };
    let flags = Overrides {
        data_dir: Some("/flag".into()),
        config: Some(home.path(".config/dashtam/config.toml")),
        ..Overrides::default()
    };
    home.config("# first\ndata_dir = \"/file\"\n");
    let variable = [("DASHTAM_DATA_DIR", "/environment")];
    assert_eq!(name(&flags, &variable), ("/flag".into(), "flag --data-dir".into()));
    let expected = "environment DASHTAM_DATA_DIR".to_owned();
    assert_eq!(name(&Overrides::default(), &variable), ("/environment".into(), expected));
    let file = home.path(".config/dashtam/config.toml");
    let expected = format!("file {} line 2", file.display());
    assert_eq!(name(&Overrides::default(), &[]), ("/file".into(), expected));
    // An empty variable counts as not set.
    assert_eq!(name(&Overrides::default(), &[("DASHTAM_DATA_DIR", "")]).0, Path::new("/file"));
}

#[test]
fn a_data_dir_holds_everything_and_a_profile_has_its_own_part() {
    let home = Home::new();
    let flags = Overrides {
        data_dir: Some(home.path("d")),
        profile: Some("work".into()),
        ..Overrides::default()
    };
    home.write("d/profiles/work/config.toml", "log.level = \"error\"", 0o600);
    let config = home.load(&flags, &[]).unwrap();
    assert_eq!(config.data_dir.value, home.path("d/profiles/work"));
    assert_eq!(config.audit_dir(), home.path("d/profiles/work/audit"));
    assert_eq!(config.log_dir(), home.path("d/profiles/work/log"));
    assert!(config.file_exists);
    assert_eq!(config.log_level.value, Level::ERROR);

    let xdg = home.load(&Overrides::default(), &[("DASHTAM_PROFILE", "b")]).unwrap();
    let under = |base: &str| home.path(base).join("dashtam/profiles/b");
    assert_eq!(xdg.data_dir.value, under(".local/share"));
    assert_eq!(xdg.state_dir.value, under(".local/state"));
    assert_eq!(xdg.file.value, under(".config").join("config.toml"));
}

#[test]
fn profile_names_are_checked() {
    let home = Home::new();
    let named = |name: &str| Overrides { profile: Some(name.into()), ..Overrides::default() };
    let longest = "a".repeat(32);
    for good in ["a", "Work_2-b", longest.as_str()] {
        home.load(&named(good), &[]).unwrap();
    }
    let too_long = "a".repeat(33);
    for bad in ["", "..", "a/b", "a b", "é", "a\n", too_long.as_str()] {
        assert!(home.refused(&named(bad), &[]).contains("flag --profile"));
    }
}

#[test]
fn levels_come_from_the_file_and_from_v() {
    let home = Home::new();
    home.config("[log]\nlevel = \"warn\"\nkeep_days = 3\n");
    for (verbose, level, from) in
        [(0, Level::WARN, "line 2"), (1, Level::DEBUG, "flag -v"), (2, Level::TRACE, "flag -vv")]
    {
        let flags = Overrides { verbose, ..Overrides::default() };
        let config = home.load(&flags, &[]).unwrap();
        assert_eq!(config.log_level.value, level);
        assert!(config.log_level.from.to_string().ends_with(from));
        assert_eq!(config.log_keep_days.value, 3);
    }
    for bad in ["log.level = \"loud\"", "log.keep_days = 0", "log.keep_days = 3651"] {
        home.config(bad);
        assert!(home.refused(&Overrides::default(), &[]).contains("line 1: log."));
    }
}

#[test]
fn how_often_a_service_is_asked_is_a_number_that_can_be_meant() {
    let home = Home::new();
    home.config("[schwab]\nrequests_per_minute = 60\n[frankfurter]\nrequests_per_minute = 60000\n");
    let config = home.load(&Overrides::default(), &[]).unwrap();
    let paces = config.paces();
    assert_eq!(paces, [("frankfurter".to_owned(), 60_000), ("schwab".to_owned(), 60)].into());
    let shown: Vec<_> = config.effective().into_iter().map(|row| row.value).collect();
    assert!(shown.contains(&("schwab.requests_per_minute".to_owned(), "60".to_owned())));
    for bad in ["0", "60001", "65536", "\"60\""] {
        home.config(&format!("schwab.requests_per_minute = {bad}"));
        let message = home.refused(&Overrides::default(), &[]);
        assert!(message.contains("line 1: schwab.requests_per_minute"), "{message}");
    }
}

#[test]
fn chosen_chords_say_where_they_come_from_and_wrong_ones_stop_nobody() {
    let home = Home::new();
    home.config("[keys]\nsort = [\"S\", \"F3\"]\nquit = true\n");
    let config = home.load(&Overrides::default(), &[]).unwrap();
    assert!(matches!(config.warnings(), [Warning::NoChords { action, .. }] if action == "quit"));
    let last = config.effective().pop().unwrap();
    assert_eq!(last.value, ("keys.sort".to_owned(), "S, F3".to_owned()));
    assert!(last.from.to_string().ends_with("config.toml line 2"), "{}", last.from);
    assert!(config.keys.contains_key("sort") && config.keys.len() == 1);
}

#[test]
fn color_can_be_turned_off_twice() {
    let home = Home::new();
    let off = Overrides { no_color: true, ..Overrides::default() };
    assert!(home.load(&Overrides::default(), &[("NO_COLOR", "")]).unwrap().color.value);
    let variable = home.load(&Overrides::default(), &[("NO_COLOR", "1")]).unwrap().color;
    assert_eq!(variable, Setting::new(false, Origin::Environment("NO_COLOR")));
    assert_eq!(home.load(&off, &[]).unwrap().color.from, Origin::Flag("--no-color"));
}

#[test]
fn a_named_config_file_must_be_there_and_be_ours() {
    let home = Home::new();
    let absent = home.path("absent.toml");
    let variable = [("DASHTAM_CONFIG", absent.to_str().unwrap())];
    assert!(home.refused(&Overrides::default(), &variable).contains("absent.toml"));
    let path = home.write("mine.toml", "log.keep_days = 2", 0o622);
    let flags = Overrides { config: Some(path.clone()), ..Overrides::default() };
    assert!(home.refused(&flags, &[]).contains("chmod go-w"));
    home.write("mine.toml", "log.keep_days = 2", 0o644);
    assert_eq!(home.load(&flags, &[]).unwrap().log_keep_days.value, 2);
}

#[test]
fn the_network_needs_verified_tls_or_an_explicit_consent() {
    let home = Home::new();
    for mode in ["", "?sslmode=require", "?sslmode=verify-ca", "?insecure=false"] {
        let message = home.refused(&database(&format!("postgres://u@db.example/d{mode}")), &[]);
        assert!(message.contains("sslmode=verify-full"), "{message}");
        assert!(message.contains("postgres.insecure"), "{message}");
    }
    for url in ["postgres://u@db.example/d?sslmode=verify-full", "postgres://u@127.0.0.1/d"] {
        let config = home.load(&database(url), &[]).unwrap();
        assert!(config.warnings().is_empty() && !config.insecure_postgres.value);
    }
    let by_url = home.load(&database("postgres://u@db.example/d?insecure=true"), &[]).unwrap();
    assert_eq!(by_url.insecure_postgres.from, Origin::Flag("--database"));
    assert!(
        matches!(by_url.warnings(), [Warning::InsecurePostgres { host, .. }] if host == "db.example")
    );
    home.config("postgres.insecure = true");
    let by_file = home.load(&database("postgres://u@db.example/d"), &[]).unwrap();
    assert!(by_file.insecure_postgres.value);
    assert_eq!(by_file.warnings().len(), 1);
    // Consent is no complaint where it is not needed.
    let local = home.load(&database("postgres://u@localhost/d"), &[]).unwrap();
    assert!(local.warnings().is_empty());
}

#[test]
fn passwords_are_judged_by_where_they_stand() {
    let home = Home::new();
    let url = format!("postgres://u:{CANARY}@localhost/d");
    let flag = home.load(&database(&url), &[]).unwrap();
    assert_eq!(flag.warnings(), [Warning::PasswordInArguments]);
    let variable = [("DASHTAM_DATABASE_URL", url.as_str())];
    let environment = home.load(&Overrides::default(), &variable).unwrap();
    assert_eq!(environment.warnings(), [Warning::PasswordInEnvironment]);

    let text = format!("database = \"{url}\"");
    home.config(&text);
    let file = home.load(&Overrides::default(), &[]).unwrap();
    assert!(file.warnings().is_empty());
    for config in [&flag, &environment, &file] {
        assert_eq!(password(config), Some(CANARY));
        let shown = format!("{config:?} {:?} {:?}", config.effective(), config.warnings());
        assert!(!shown.contains(CANARY), "{shown}");
    }
    home.write(".config/dashtam/config.toml", &text, 0o644);
    assert!(home.refused(&Overrides::default(), &[]).contains("chmod 600"));

    let overrides = format!("{:?} {:?}", database(&url), Environment::new(variable));
    assert!(!overrides.contains(CANARY), "{overrides}");
}

#[test]
fn the_password_file_must_be_private() {
    let home = Home::new();
    home.config("database = \"postgres://u@localhost/d\"\npostgres.password_file = \"pw\"\n");
    assert!(home.refused(&Overrides::default(), &[]).contains("postgres.password_file"));
    home.write(".config/dashtam/pw", &format!("{CANARY}\n"), 0o640);
    assert!(home.refused(&Overrides::default(), &[]).contains("chmod 600"));
    home.write(".config/dashtam/pw", &format!("{CANARY}\n"), 0o600);
    let config = home.load(&Overrides::default(), &[]).unwrap();
    assert_eq!(password(&config), Some(CANARY));
    // The URL's own password wins.
    let own = home.load(&database("postgres://u:own@localhost/d"), &[]).unwrap();
    assert_eq!(password(&own), Some("own"));
}

#[test]
fn folders_are_made_private_and_open_ones_are_refused() {
    let home = Home::new();
    let flags = Overrides { data_dir: Some(home.path("d")), ..Overrides::default() };
    let config = home.load(&flags, &[]).unwrap();
    config.prepare_folders().unwrap();
    for name in ["d", "d/log", "d/audit"] {
        let mode = fs::metadata(home.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{name}");
    }
    fs::set_permissions(home.path("d"), Permissions::from_mode(0o755)).unwrap();
    let message = config.prepare_folders().unwrap_err().to_string();
    assert!(message.contains("chmod 700"), "{message}");
}

#[test]
fn the_sample_shows_every_key_and_is_valid() {
    let sample = include_str!("../../config/dashtam.toml");
    let is_key = |line: &&str| {
        line.starts_with("#[")
            || (line.starts_with('#') && !line.starts_with("# ") && line.contains(" = "))
    };
    let uncommented: Vec<_> =
        sample.lines().filter(is_key).filter_map(|line| line.get(1..)).collect();
    // As delivered, nothing is set.
    assert!(sample.lines().all(|line| line.is_empty() || line.starts_with('#')));

    let mut table = "";
    let mut shown = Vec::new();
    for line in &uncommented {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            table = name;
            continue;
        }
        let key = line.split(" = ").next().unwrap();
        let dot = if table.is_empty() { "" } else { "." };
        // The keyboard's table shows what may stand in it by an action or two.
        let key = if table == "keys" { "*" } else { key };
        shown.push(format!("{table}{dot}{key}"));
    }
    shown.dedup();
    let mut expected = KEYS.to_vec();
    expected.sort_unstable();
    shown.sort_unstable();
    assert_eq!(shown, expected);

    let home = Home::new();
    home.config(&uncommented.join("\n"));
    let sampled = home.load(&Overrides::default(), &[]).unwrap();
    // The values shown for plain settings are the defaults.
    let plain = Home::new().load(&Overrides::default(), &[]).unwrap();
    assert_eq!(sampled.log_level.value, plain.log_level.value);
    assert_eq!(sampled.log_keep_days.value, plain.log_keep_days.value);
    assert_eq!(sampled.insecure_postgres.value, plain.insecure_postgres.value);
    assert!(!sampled.keys.is_empty() && sampled.warnings().is_empty());
    assert_eq!(sampled.data_dir.value, home.path(".local/share/dashtam/profiles/main"));
}

#[test]
fn sources_of_prices_have_an_order() {
    let home = Home::new();
    let shown = |home: &Home| {
        let rows = home.load(&Overrides::default(), &[]).unwrap().effective().into_iter();
        let row = rows.map(|row| row.value).find(|(name, _)| name == "market.sources");
        row.unwrap().1
    };
    assert_eq!(shown(&home), "schwab, alpaca");
    home.config("[market]\nsources = [\"alpaca\"]\n");
    assert_eq!(shown(&home), "alpaca, schwab", "those that are not named come behind");
    for bad in ["\"alpaca\"", "[\"yahoo\"]", "[\"alpaca\", \"alpaca\"]", "[1]"] {
        home.config(&format!("market.sources = {bad}"));
        let message = home.refused(&Overrides::default(), &[]);
        assert!(message.contains("line 1: market.sources"), "{message}");
    }
}
