//! Forms of the dashboard, by keys, through the real app, state and store: what they look like, what
//! they write, what they refuse, and the way back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test"
)]

#[path = "support/hostile.rs"]
mod hostile;
#[path = "support/screen.rs"]
mod screen;

use dashtam::model::{AccountEdit, Change, Currency, LotMethod, RowEdit, SafeText};
use dashtam::report::{GainsQuery, TransactionRow, TransactionsQuery, gains, transactions};
use dashtam::service::edit::{self, apply, edit_transaction};
use dashtam::tui::{App, Memo, Msg, Options, Proposal};
use screen::{Dashboard, SIZES, clock, on_demo, options, run};

/// Types a text, and presses what stands in angle brackets: `XEQT<Enter>10<Ctrl-s>`.
async fn type_in(dashboard: &mut Dashboard, text: &str) -> usize {
    let mut pressed = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (key, len) = match rest.strip_prefix('<').and_then(|it| it.split_once('>')) {
            Some((key, _)) => (key.to_owned(), key.len() + 2),
            None if c == ' ' => ("Space".to_owned(), 1),
            None => (c.to_string(), c.len_utf8()),
        };
        pressed += usize::from(len > 2);
        rest = rest.get(len..).unwrap();
        dashboard.keys(&key).await;
    }
    pressed
}

async fn rows(dashboard: &Dashboard) -> Vec<TransactionRow> {
    let mut tx = dashboard.session().store.read().await.unwrap();
    transactions(&mut tx, &TransactionsQuery::default()).await.unwrap().rows
}

async fn newest(dashboard: &Dashboard) -> TransactionRow {
    rows(dashboard).await.into_iter().max_by_key(|row| row.id).unwrap()
}

fn dec(text: &str) -> Option<dashtam::model::Dec> {
    dashtam::model::Dec::parse(text).ok()
}

/// Ways to every form of a household, the last key opening it.
const FORMS: [(&str, &str); 16] = [
    ("add_transaction", "3 a"),
    ("edit_transaction", "3 e"),
    ("categorise", "3 Space Space C"),
    ("buy", "2 j b"),
    ("sell", "2 j S"),
    ("price", "2 j P"),
    ("add_account", "1 a"),
    ("edit_account", "1 j e"),
    ("balance", "1 j B"),
    ("security", "2 j Enter e"),
    ("target", "6 e"),
    ("source_symbol", "g s m"),
    ("watch", "8 a"),
    ("watched", "8 e"),
    ("alert", "8 A"),
    ("edit_alert", "8 o e"),
];

#[test]
fn every_form_at_every_size() {
    run(async {
        let mut dashboard = Dashboard::demo(SIZES[0], options()).await;
        for (name, keys) in FORMS {
            dashboard.keys(keys).await;
            for size in SIZES.into_iter().chain([(40, 10)]) {
                dashboard.resize(size).await;
                let at = format!("form_{name}_{}x{}", size.0, size.1);
                insta::assert_snapshot!(at, dashboard.screen());
            }
            dashboard.resize(SIZES[0]).await;
            dashboard.keys("Esc").await;
            assert!(!dashboard.screen().contains("Esc leaves"), "{name} {}", dashboard.screen());
        }
        dashboard.close().await;
    });
}

#[test]
fn no_size_makes_a_form_panic_whatever_is_typed() {
    on_demo((80, 24), async |dashboard| {
        for (_, keys) in FORMS {
            dashboard.keys(keys).await;
            for text in ["", "日本x", "<Down><Down>", "<Tab>-1", "<BackTab>9", "<Ctrl-s>"] {
                type_in(dashboard, text).await;
                for (width, height) in (0..=82u16)
                    .step_by(3)
                    .flat_map(|w| [0, 1, 3, 9, 10, 11, 14, 24].map(|height| (w, height)))
                {
                    dashboard.tell(Msg::Resize(width, height));
                    screen::drawn(&dashboard.app, (width, height));
                    dashboard.tell(Msg::Click(width / 2, height / 2));
                    dashboard.tell(Msg::Wheel(height.is_multiple_of(2)));
                }
            }
            dashboard.resize((80, 24)).await;
            dashboard.keys("Esc").await;
            type_in(dashboard, "y<Esc>y<Esc>").await;
        }
    });
}

#[test]
fn a_trade_is_entered_and_taken_back_and_made_again() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 24), options()).await;
        let before = rows(&dashboard).await.len();
        dashboard.keys("3 a").await;
        type_in(&mut dashboard, "buy<Enter>bro<Enter><Enter>aaa<Enter>1,250<Enter>10.5<Enter>2")
            .await;
        let screen = dashboard.screen();
        assert!(screen.contains("-13127"), "the amount follows:\n{screen}");
        insta::assert_snapshot!("form_trade_typed", screen);
        dashboard.keys("Ctrl-s").await;
        assert!(dashboard.screen().contains("writing"), "{}", dashboard.screen());
        dashboard.work().await;
        assert!(dashboard.screen().contains("added; z takes it back"), "{}", dashboard.screen());
        let row = newest(&dashboard).await;
        let told = (row.account.as_str(), row.symbol.as_ref().unwrap().as_str(), row.quantity);
        assert_eq!(told, ("Broker", "AAA", dec("1250")));
        assert_eq!((row.price, row.fee, Some(row.amount)), (dec("10.5"), dec("2"), dec("-13127")));
        assert_eq!(row.date.to_string(), "2026-11-21");
        dashboard.keys("z").await;
        dashboard.work().await;
        assert!(dashboard.screen().contains("taken back: added"), "{}", dashboard.screen());
        assert_eq!(rows(&dashboard).await.len(), before);
        dashboard.keys("Z").await;
        dashboard.work().await;
        assert_eq!(rows(&dashboard).await.len(), before + 1);
        assert_eq!(newest(&dashboard).await.id, row.id);
        // What was typed last is proposed.
        dashboard.keys("a").await;
        assert!(dashboard.screen().contains("Broker"), "{}", dashboard.screen());
        dashboard.keys("Esc z").await;
        dashboard.work().await;
        dashboard.keys("z").await;
        assert!(dashboard.screen().contains("nothing was changed by hand"));
        dashboard.close().await;
    });
}

/// What is typed into a new row, and the field and the words of the refusal.
const REFUSALS: [(&str, &str, &str); 23] = [
    ("buy<Enter><Enter><Enter>AAA<Enter>0,125", "quantity", "has a comma"),
    ("buy<Enter><Enter><Enter>AAA<Enter>-3", "quantity", "below zero; write it unsigned"),
    ("buy<Enter><Enter><Enter>AAA<Enter>0", "quantity", "zero; buy needs more"),
    ("buy<Enter><Enter><Enter>AAA<Ctrl-s>", "quantity", "missing; buy needs it"),
    ("buy<Enter><Enter><Enter><Ctrl-s>", "symbol", "missing; buy needs it"),
    ("buy<Enter><Enter><Enter>AAA<Enter>3<Ctrl-s>", "price", "missing; a trade without"),
    ("buy<Enter><Enter><Enter>AAA<Enter>3<Enter>x<Ctrl-s>", "price", "x"),
    ("buy<Enter><Enter><Enter>AAA<Enter>3<Enter>5<Enter><Enter>-1", "tax", "below zero"),
    (
        "buy<Enter><Enter><Enter>AAA<Enter>3<Enter>5<Enter><Enter><Enter>15",
        "amount",
        "wrong sign; buy is negative",
    ),
    (
        "buy<Enter><Enter><Enter>AAA<Enter>3<Enter>5<Enter><Enter><Enter>-17",
        "amount",
        "does not agree with -15",
    ),
    ("deposit<Enter><Enter><Enter><Enter><Enter>-5", "amount", "wrong sign; deposit"),
    ("deposit<Enter><Enter><Enter><Ctrl-s>", "amount", "missing; deposit needs it"),
    ("split<Enter><Enter><Enter>AAA<Ctrl-s>", "new:old", "missing; split needs it"),
    ("split<Enter><Enter><Enter>AAA<Enter>0:1<Ctrl-s>", "new:old", "write new:old"),
    ("merger<Enter><Enter><Enter>AAA<Ctrl-s>", "becomes", "missing; merger needs it"),
    (
        "spin_off<Enter><Enter><Enter>AAA<Enter>CCC<Enter><Ctrl-s>",
        "new:old",
        "missing; spin_off needs",
    ),
    ("reinvest<Enter><Enter><Enter>AAA<Enter>2<Ctrl-s>", "price", "missing; reinvest"),
    ("reward<Enter><Enter><Enter>AAA<Ctrl-s>", "quantity", "missing; reward needs it"),
    ("transfer_in<Enter><Enter><Enter>AAA<Ctrl-s>", "quantity", "missing; transfer_in"),
    ("buy<Enter><Enter>2026-02-30<Enter>", "date", "a day is written like"),
    ("zzz<Enter>", "type", "none of the choices"),
    ("buy<Enter>zzz<Enter>", "account", "none of the choices"),
    (
        "withdrawal<Enter>Broker<Enter><Enter><Enter><Enter><Enter><Enter>Broker<Ctrl-s>",
        "to account",
        "is the account itself",
    ),
];

#[test]
fn each_refusal_stands_beneath_its_field() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 40), options()).await;
        dashboard.keys("3").await;
        for (typed, label, words) in REFUSALS {
            dashboard.keys("a").await;
            type_in(&mut dashboard, typed).await;
            let screen = dashboard.screen();
            let lines: Vec<_> = screen.lines().collect();
            let field = lines.iter().position(|line| {
                let line = line.split_once('│').map_or("", |(_, inside)| inside);
                line.trim_start_matches([' ', '!', '▸']).starts_with(label)
            });
            let field = field.unwrap_or_else(|| panic!("{typed}: no {label}\n{screen}"));
            assert!(lines[field].contains('!'), "{typed}: {label} is not marked\n{screen}");
            let below = lines[field + 1..(field + 4).min(lines.len())].join(" ");
            let below: Vec<_> = below.split_whitespace().filter(|it| !it.contains('│')).collect();
            assert!(below.join(" ").contains(words), "{typed}: {words}\n{screen}");
            dashboard.keys("Esc").await;
            if dashboard.screen().contains("Leave what is typed?") {
                dashboard.keys("y").await;
            }
            assert!(dashboard.wanted.is_empty(), "{typed}");
        }
        dashboard.close().await;
    });
}

#[test]
fn what_the_store_refuses_is_said_in_the_form_as_the_command_line_says_it() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 24), options()).await;
        // A name that is taken.
        dashboard.keys("1 a").await;
        type_in(&mut dashboard, "Broker<Ctrl-s>").await;
        dashboard.work().await;
        let screen = dashboard.screen();
        assert!(screen.contains("there is an account called `Broker` already"), "{screen}");
        // It can be mended where it stands.
        type_in(&mut dashboard, "Other<Ctrl-s>").await;
        dashboard.work().await;
        assert!(dashboard.screen().contains("added the account"), "{}", dashboard.screen());
        // An account that is valued by its rows.
        dashboard.keys("g g j B").await;
        type_in(&mut dashboard, "5<Ctrl-s>").await;
        dashboard.work().await;
        assert!(dashboard.screen().contains("is in ledger mode"), "{}", dashboard.screen());
        dashboard.keys("Esc y").await;
        // More than a whole.
        dashboard.keys("6 a").await;
        type_in(&mut dashboard, "<Enter>etf<Enter>70%<Ctrl-s>").await;
        dashboard.work().await;
        dashboard.keys("a").await;
        type_in(&mut dashboard, "<Enter>equity<Enter>0.4<Ctrl-s>").await;
        dashboard.work().await;
        assert!(dashboard.screen().contains("would add up to 1.1"), "{}", dashboard.screen());
        dashboard.close().await;
    });
}

#[test]
fn nothing_typed_is_lost_by_one_key() {
    on_demo((80, 24), async |dashboard| {
        dashboard.keys("3 a").await;
        type_in(dashboard, "sell<Esc>").await;
        assert!(dashboard.screen().contains("Leave what is typed?"), "{}", dashboard.screen());
        dashboard.keys("n").await;
        let screen = dashboard.screen();
        assert!(screen.contains("sell") && !screen.contains("Leave what"), "{screen}");
        dashboard.keys("Esc y").await;
        assert!(!dashboard.screen().contains("Add a transaction"));
        dashboard.keys("a Esc").await;
        assert!(!dashboard.screen().contains("Leave what"), "nothing was typed");
    });
}

#[test]
fn what_is_pasted_is_text_and_never_a_key() {
    on_demo((80, 24), async |dashboard| {
        dashboard.keys("3 a Tab Tab Tab").await;
        dashboard.tell(Msg::Paste("AB\u{13}\r\u{1b}[2Jq\n".to_owned()));
        let screen = dashboard.screen();
        assert!(screen.contains("AB") && screen.contains("Add a transaction"), "{screen}");
        assert!(dashboard.wanted.is_empty());
    });
}

#[test]
fn a_row_is_edited_field_by_field_and_another_hand_is_told_of() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 40), options()).await;
        // The newest row is the sale of 4 AAA at 61.
        dashboard.keys("3 e").await;
        type_in(&mut dashboard, "<Tab><Tab><Tab><Tab>5").await;
        assert!(dashboard.screen().contains("305"), "4 -> 5: {}", dashboard.screen());
        let id = rows(&dashboard).await.iter().find(|row| row.quantity == dec("4")).unwrap().id;
        let note = RowEdit { note: Some(SafeText::new("theirs")), ..RowEdit::default() };
        edit_transaction(dashboard.session(), id, note).await.unwrap();
        dashboard.tell(Msg::Resize(80, 40));
        dashboard.catch_up().await;
        assert!(
            dashboard.screen().contains("changed elsewhere meanwhile"),
            "{}",
            dashboard.screen()
        );
        dashboard.keys("Ctrl-s").await;
        dashboard.work().await;
        let row = rows(&dashboard).await.into_iter().find(|row| row.id == id).unwrap();
        assert_eq!((row.quantity, Some(row.amount)), (dec("5"), dec("305")));
        let changed = RowEdit { fee: dec("1"), ..RowEdit::default() };
        edit_transaction(dashboard.session(), id, changed).await.unwrap();
        dashboard.keys("z").await;
        dashboard.work().await;
        let screen = dashboard.screen();
        assert!(screen.contains("was changed since by somebody else"), "{screen}");
        dashboard.close().await;
    });
}

#[test]
fn rows_are_deleted_sorted_linked_and_all_of_it_is_taken_back() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (100, 30), options()).await;
        let before = rows(&dashboard).await.len();
        dashboard.keys("3 Space Space d").await;
        assert!(dashboard.screen().contains("Delete 2 marked rows?"), "{}", dashboard.screen());
        dashboard.keys("y").await;
        dashboard.work().await;
        assert_eq!(rows(&dashboard).await.len(), before - 2);
        dashboard.keys("z").await;
        dashboard.work().await;
        assert_eq!(rows(&dashboard).await.len(), before);
        dashboard.keys("3 g g Space Space C").await;
        type_in(&mut dashboard, "Food<Ctrl-s>").await;
        dashboard.work().await;
        let food =
            |rows: Vec<TransactionRow>| rows.iter().filter(|row| row.category.is_some()).count();
        assert_eq!(food(rows(&dashboard).await), 2);
        dashboard.keys("z").await;
        dashboard.work().await;
        assert_eq!(food(rows(&dashboard).await), 0);
        dashboard.close().await;
    });
}

#[test]
fn lots_of_a_sale_add_up_and_follow_the_method() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 40), options()).await;
        dashboard.keys("2 / A A A Enter j S").await;
        type_in(&mut dashboard, "9<Enter>70<Enter>1").await;
        let screen = dashboard.screen();
        // 3 are left of February, then 7 and 7; fifo takes 3 and 6.
        assert!(screen.contains("of 2026-02-03") && screen.contains("lots by fifo"), "{screen}");
        insta::assert_snapshot!("form_sale_by_fifo", screen);
        // Lots of one's own choice need a method that lets one choose.
        type_in(&mut dashboard, "<Tab><Tab><Tab><Tab><Tab>1").await;
        dashboard.keys("Ctrl-s").await;
        assert!(dashboard.screen().contains("takes lots by fifo"), "{}", dashboard.screen());
        dashboard.keys("Esc y").await;
        let broker = edit::account_named(dashboard.session(), "Broker").await.unwrap().id;
        let edit = AccountEdit {
            method: dashtam::model::Edit::Set(LotMethod::Specific),
            ..AccountEdit::default()
        };
        apply(dashboard.session(), Change::EditAccount(broker, edit)).await.unwrap();
        dashboard.tell(Msg::Resize(80, 40));
        dashboard.catch_up().await;
        dashboard.keys("S").await;
        type_in(&mut dashboard, "9<Enter>70<Enter>1<Tab><Tab><Tab><Tab><Tab>1").await;
        insta::assert_snapshot!("form_sale_by_choice", dashboard.screen());
        dashboard.keys("Ctrl-s").await;
        dashboard.work().await;
        let mut sold: Vec<_> = rows(&dashboard)
            .await
            .into_iter()
            .filter(|row| row.date.to_string() == "2026-11-21")
            .map(|row| (row.quantity.unwrap().to_string(), row.fee.unwrap().to_string()))
            .collect();
        sold.sort();
        let sum: i64 = sold.iter().map(|(quantity, _)| quantity.parse::<i64>().unwrap()).sum();
        assert_eq!((sum, sold.len()), (9, 3), "{sold:?}");
        dashboard.keys("z").await;
        dashboard.work().await;
        assert!(dashboard.screen().contains("taken back: sold"), "{}", dashboard.screen());
        dashboard.close().await;
    });
}

#[test]
fn pairs_of_moves_are_linked_where_they_are_found() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let file = "date,account,type,symbol,quantity,price,fee,currency,amount\n\
            2026-10-01,Chequing,WITHDRAWAL,,,,,USD,-77\n2026-10-02,Broker,DEPOSIT,,,,,USD,77\n";
        let path = folder.path().join("pair.csv");
        std::fs::write(&path, file).unwrap();
        hostile::take_in(&session, path).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (100, 30), options()).await;
        dashboard.keys("g h / p a i r Enter").await;
        assert!(dashboard.screen().contains("pair proposed"), "{}", dashboard.screen());
        dashboard.keys("A").await;
        dashboard.work().await;
        assert!(dashboard.screen().contains("linked; z takes it back"), "{}", dashboard.screen());
        let linked = |rows: Vec<TransactionRow>| {
            rows.iter()
                .filter(|row| row.amount.abs() == dec("77").unwrap() && !row.linked.is_empty())
                .count()
        };
        assert_eq!(linked(rows(&dashboard).await), 2);
        dashboard.keys("z").await;
        dashboard.work().await;
        assert_eq!(linked(rows(&dashboard).await), 0);
        dashboard.close().await;
    });
}

#[test]
fn amounts_in_forms_are_masked_and_read_only_says_so() {
    run(async {
        let masked = Options { private: true, ..options() };
        let mut dashboard = Dashboard::demo((80, 40), masked).await;
        for keys in ["3 e", "Esc 2 j S"] {
            dashboard.keys(keys).await;
            type_in(&mut dashboard, "<Tab><Tab><Tab><Tab>98765").await;
            let screen = dashboard.screen();
            assert!(!screen.contains("98765") && screen.contains("•••"), "{screen}");
            dashboard.keys("Esc y").await;
        }
        dashboard.close().await;
        let looking = Options { read_only: true, ..options() };
        let mut dashboard = Dashboard::demo((80, 24), looking).await;
        for (name, keys) in FORMS {
            dashboard.keys(keys).await;
            let screen = dashboard.screen();
            assert!(screen.contains("--read-only: nothing is written"), "{name}\n{screen}");
        }
        dashboard.keys("3 d").await;
        assert!(dashboard.screen().contains("--read-only"), "{}", dashboard.screen());
        dashboard.close().await;
    });
}

#[test]
fn a_click_goes_to_a_field_and_takes_a_choice() {
    on_demo((80, 24), async |dashboard| {
        dashboard.keys("1 a").await;
        let place = |dashboard: &Dashboard, word: &str| {
            let screen = dashboard.screen();
            let line = screen.lines().position(|line| line.contains(word)).unwrap();
            u16::try_from(line).unwrap()
        };
        let line = place(dashboard, "kind");
        dashboard.tell(Msg::Click(20, line));
        let line = place(dashboard, "margin");
        dashboard.tell(Msg::Click(20, line));
        let screen = dashboard.screen();
        let kind = screen.lines().find(|line| line.contains("kind")).unwrap();
        assert!(kind.contains("margin"), "{screen}");
    });
}

fn first_start() -> Options {
    let proposal =
        Proposal { currency: Currency::parse("CAD").unwrap(), zone: chrono_tz::America::Toronto };
    Options { setup: Some(proposal), ..options() }
}

/// From nothing to the first recorded trade, with at most 25 keys and what is typed.
#[test]
fn a_first_run_takes_few_keys() {
    run(async {
        let mut dashboard = Dashboard::empty((80, 24), first_start()).await;
        insta::assert_snapshot!("first_run_80x24", dashboard.screen());
        let mut pressed = type_in(&mut dashboard, "<Enter><Enter>").await;
        dashboard.work().await;
        insta::assert_snapshot!("first_run_doors", dashboard.screen());
        dashboard.keys("j j Enter").await;
        pressed += 3;
        pressed += type_in(&mut dashboard, "Brokerage<Ctrl-s>").await;
        dashboard.work().await;
        dashboard.keys("a").await;
        pressed += 1;
        pressed +=
            type_in(&mut dashboard, "<Enter><Enter><Enter>XEQT.TO<Enter>10<Enter>34.12<Ctrl-s>")
                .await;
        dashboard.work().await;
        assert!(dashboard.screen().contains("added; z takes it back"), "{}", dashboard.screen());
        let row = newest(&dashboard).await;
        assert_eq!((Some(row.amount), row.currency.code()), (dec("-341.2"), "CAD"));
        assert!(pressed <= 25, "{pressed} keys");
        let settings = edit::settings(dashboard.session()).await.unwrap();
        let chosen: Vec<_> =
            settings.into_iter().filter(|it| it.2).map(|it| it.1.unwrap()).collect();
        assert_eq!(chosen, ["CAD", "America/Toronto"]);
        dashboard.close().await;
    });
}

#[test]
fn what_is_asked_once_can_be_left_and_is_not_asked_again() {
    run(async {
        let mut dashboard = Dashboard::empty((40, 10), first_start()).await;
        assert!(dashboard.screen().contains("totals in"), "{}", dashboard.screen());
        dashboard.keys("Esc").await;
        assert!(dashboard.screen().contains("Look at the demo"), "{}", dashboard.screen());
        assert!(dashboard.remembered.contains(&Memo::SetUp));
        // Whoever only looks is asked nothing.
        let looking = Options { read_only: true, ..first_start() };
        let looking = Dashboard::empty((80, 24), looking).await;
        assert!(!looking.screen().contains("totals in"));
        looking.close().await;
        dashboard.close().await;
    });
}

/// What is drawn before anything is read knows no form.
#[test]
fn a_form_needs_something_that_was_read() {
    let mut app = App::new(options(), (80, 24));
    for chord in dashtam::keys::parse_chords("3 a").unwrap() {
        app.update(Msg::Key(chord));
    }
    let screen = screen::text(&screen::drawn(&app, (80, 24)));
    assert!(screen.contains("not yet: nothing is read"), "{screen}");
    assert!(!screen.contains("Add a transaction"), "{screen}");
}

/// A household, and the rows of a file.
async fn with_rows(rows: &str, size: (u16, u16)) -> Dashboard {
    let (session, folder) = hostile::household(&clock(), 1).await;
    let path = folder.path().join("more.csv");
    let header = "date,account,type,symbol,quantity,price,fee,currency,amount";
    std::fs::write(&path, format!("{header}\n{rows}")).unwrap();
    hostile::take_in(&session, path).await;
    Dashboard::over(session, Some(folder), size, options()).await
}

/// A sale names the day of its lots and nothing more: of two lots of a day the first goes first, and
/// a form must not let one choose the second.
#[test]
fn lots_of_one_day_are_one_choice() {
    run(async {
        let rows = "2024-01-02,Twins,DEPOSIT,,,,,USD,1000\n\
            2024-03-01,Twins,BUY,TWIN,10,10,,USD,\n2024-03-01,Twins,BUY,TWIN,10,20,,USD,\n\
            2024-03-04,Twins,BUY,TWIN,10,25,,USD,\n";
        let mut dashboard = with_rows(rows, (80, 40)).await;
        let twins = edit::account_named(dashboard.session(), "Twins").await.unwrap().id;
        let specific = AccountEdit {
            method: dashtam::model::Edit::Set(LotMethod::Specific),
            ..AccountEdit::default()
        };
        apply(dashboard.session(), Change::EditAccount(twins, specific)).await.unwrap();
        dashboard.catch_up().await;
        dashboard.keys("2 / T W I N Enter j S").await;
        type_in(&mut dashboard, "<Tab>30<Tab><Tab><Tab><Tab><Tab><Tab>15").await;
        let screen = dashboard.screen();
        assert_eq!(screen.matches("of 2024-03-01").count(), 1, "{screen}");
        assert!(screen.contains("of each its first lots first"), "{screen}");
        dashboard.keys("Ctrl-s").await;
        dashboard.work().await;
        assert!(dashboard.screen().contains("sold; z takes it back"), "{}", dashboard.screen());
        let query = GainsQuery {
            from: None,
            to: "2026-11-21".parse().unwrap(),
            account: Some(twins),
            currency: None,
            method: None,
        };
        let mut tx = dashboard.session().store.read().await.unwrap();
        let gains = gains(&mut tx, &query).await.unwrap().rows;
        let gain = |row: &dashtam::report::GainRow| (Some(row.quantity), row.gain);
        let gains: Vec<_> = gains.iter().map(gain).collect();
        // 10 x (30 - 10), then 5 x (30 - 20).
        assert_eq!(gains, [(dec("10"), dec("200")), (dec("5"), dec("50"))]);
        drop(tx);
        dashboard.close().await;
    });
}

#[test]
fn the_last_change_is_taken_back_first_wherever_it_was_made() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 24), options()).await;
        let before = rows(&dashboard).await.len();
        let chosen = async |dashboard: &Dashboard| {
            let all = edit::settings(dashboard.session()).await.unwrap();
            all.into_iter().filter(|it| it.2).count()
        };
        dashboard.keys("3 a").await;
        type_in(&mut dashboard, "deposit<Enter>bro<Enter><Enter><Enter><Enter>5<Ctrl-s>").await;
        dashboard.work().await;
        assert_eq!(rows(&dashboard).await.len(), before + 1);
        let was = chosen(&dashboard).await;
        type_in(&mut dashboard, ":set risk_free_rate 0.02<Enter>").await;
        dashboard.work().await;
        assert!(
            dashboard.screen().contains("set risk_free_rate to 0.02; z"),
            "{}",
            dashboard.screen()
        );
        type_in(&mut dashboard, ":target class cash 10%<Enter>").await;
        dashboard.work().await;
        type_in(&mut dashboard, ":account add Late savings usd<Enter>").await;
        dashboard.work().await;
        dashboard.keys("z").await;
        // One after the other: else the wrong one of two would be forgotten.
        type_in(&mut dashboard, ":set risk_free_rate 0.03<Enter>").await;
        assert!(dashboard.screen().contains("another edit is being written"));
        dashboard.work().await;
        assert!(edit::account_named(dashboard.session(), "Late").await.is_err());
        assert_eq!(edit::targets(dashboard.session()).await.unwrap().len(), 1);
        dashboard.keys("z").await;
        dashboard.work().await;
        assert_eq!(edit::targets(dashboard.session()).await.unwrap().len(), 0);
        assert_eq!(chosen(&dashboard).await, was + 1);
        dashboard.keys("z").await;
        dashboard.work().await;
        assert_eq!(chosen(&dashboard).await, was);
        assert_eq!(rows(&dashboard).await.len(), before + 1, "the row is older");
        dashboard.keys("z").await;
        dashboard.work().await;
        assert_eq!(rows(&dashboard).await.len(), before);
        dashboard.close().await;
    });
}

/// 15:00 in UTC is the next day on Kiritimati.
#[test]
fn another_zone_moves_the_day_at_once_and_a_day_is_proposed_until_the_next() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 24), options()).await;
        let proposed = async |dashboard: &mut Dashboard| {
            dashboard.keys("3 a").await;
            let screen = dashboard.screen();
            let date = screen.lines().find(|line| line.contains(" date ")).unwrap();
            let date = date.split_whitespace().find(|it| it.starts_with("20")).unwrap().to_owned();
            dashboard.keys("Esc").await;
            date
        };
        // An edit of an old row says nothing of the next new one.
        dashboard.keys("3 e").await;
        type_in(&mut dashboard, "<Tab><Tab><Tab><Tab>3<Ctrl-s>").await;
        dashboard.work().await;
        assert_eq!(proposed(&mut dashboard).await, "2026-11-21");
        dashboard.keys("a").await;
        type_in(&mut dashboard, "deposit<Enter>bro<Enter>11-03<Enter><Enter><Enter>5<Ctrl-s>")
            .await;
        dashboard.work().await;
        assert_eq!(proposed(&mut dashboard).await, "2026-11-03", "old papers");
        type_in(&mut dashboard, ":set time_zone Pacific/Kiritimati<Enter>").await;
        dashboard.work().await;
        assert_eq!(dashboard.session().clock.today().to_string(), "2026-11-22");
        assert_eq!(proposed(&mut dashboard).await, "2026-11-22");
        dashboard.keys("z").await;
        dashboard.work().await;
        assert_eq!(dashboard.session().clock.today().to_string(), "2026-11-21");
        dashboard.close().await;
    });
}

/// The price has no decimals, so that an amount may be some off: it is the row's as long as its
/// figures are.
#[test]
fn a_figure_that_is_as_it_was_costs_what_it_did() {
    run(async {
        let mut dashboard =
            with_rows("2026-11-12,Broker,BUY,AAA,10,10,,USD,-104\n", (80, 40)).await;
        let amount = |dashboard: &Dashboard| {
            let screen = dashboard.screen();
            let line = screen.lines().find(|line| line.contains(" amount ")).unwrap().to_owned();
            line.split_whitespace().find(|it| it.starts_with('-')).map(str::to_owned)
        };
        dashboard.keys("3 e").await;
        assert_eq!(amount(&dashboard), Some("-104".to_owned()));
        type_in(&mut dashboard, "<Tab><Tab><Tab><Tab>20<Tab>").await;
        assert_eq!(amount(&dashboard), Some("-200".to_owned()));
        type_in(&mut dashboard, "<BackTab>10<Tab>").await;
        assert_eq!(amount(&dashboard), Some("-104".to_owned()));
        // Another word in it changes no figure.
        type_in(&mut dashboard, "<BackTab>20<BackTab><Tab>10<Tab>").await;
        assert_eq!(amount(&dashboard), Some("-104".to_owned()));
        dashboard.keys("Ctrl-s").await;
        assert!(dashboard.wanted.is_empty(), "nothing to be written");
        dashboard.close().await;
    });
}

#[test]
fn a_quantity_that_is_emptied_follows_the_lots_again() {
    run(async {
        let (session, folder) = hostile::household(&clock(), 1).await;
        let mut dashboard = Dashboard::over(session, Some(folder), (80, 40), options()).await;
        dashboard.keys("2 / A A A Enter j S").await;
        type_in(&mut dashboard, "9<Tab><BackTab><Backspace>").await;
        type_in(&mut dashboard, "<Tab><Tab><Tab><Tab><Tab><Tab><Tab>3<Tab>").await;
        let screen = dashboard.screen();
        let line = screen.lines().find(|line| line.contains(" quantity ")).unwrap();
        assert!(line.split_whitespace().any(|it| it == "3"), "{screen}");
        dashboard.close().await;
    });
}
