use super::*;

fn header() -> Header {
    Header {
        schema: 6,
        program: "0.1.0".to_owned(),
        engine: "sqlite".to_owned(),
        made: 1_700_000_000_000_000,
        revision: 12,
        next_id: 345,
        last_op: Some("op".to_owned()),
    }
}

fn section(name: &str) -> Section {
    Section { name: name.to_owned(), columns: vec!["id".to_owned(), "what".to_owned()] }
}

/// Two tables, the first of so many rows and an empty one.
fn backup(rows: i64) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
    writer.table(&section("first")).unwrap();
    for row in 0..rows {
        writer.row(&[Value::Int(row - 2), value(row)]).unwrap();
    }
    writer.end().unwrap();
    writer.table(&section("second")).unwrap();
    writer.end().unwrap();
    let (bytes, counts) = writer.finish().unwrap();
    assert_eq!((counts.tables, counts.rows), (2, rows.cast_unsigned()));
    assert_eq!(counts.bytes, bytes.len() as u64);
    bytes
}

fn value(row: i64) -> Value<'static> {
    match row % 7 {
        0 => Value::Null,
        1 => Value::Text(""),
        2 | 3 => Value::Text("the same, twice: é\n\0"),
        4 => Value::Bytes(&[0, 1, 255]),
        5 => Value::Int(i64::MIN),
        _ => Value::Int(i64::MAX),
    }
}

fn read(bytes: &[u8]) -> Result<Counts, Error> {
    Reader::begin(bytes)?.1.verify()
}

/// The places where frames begin.
fn borders(bytes: &[u8]) -> Vec<usize> {
    let mut at = MAGIC.len();
    let mut found = Vec::new();
    while at < bytes.len() {
        found.push(at);
        let length = u32::from_le_bytes(bytes[at + 1..at + 5].try_into().unwrap());
        at += 9 + length as usize;
    }
    found
}

#[test]
fn what_is_written_is_read() {
    let bytes = backup(20_000);
    let (told, mut reader) = Reader::begin(&bytes[..]).unwrap();
    assert_eq!(told, header());
    let (mut tables, mut rows) = (Vec::new(), 0);
    let counts = loop {
        match reader.next_part().unwrap() {
            Part::Table(section) => tables.push(section),
            Part::Rows(mut part) => {
                let mut values = Vec::new();
                while part.take_into(3, &mut values).unwrap() > 0 {
                    for row in values.chunks(2) {
                        assert_eq!(row, [Value::Int(rows - 2), value(rows)]);
                        rows += 1;
                    }
                    values.clear();
                }
            }
            Part::End(counts) => break counts,
        }
    };
    assert_eq!(tables, [section("first"), section("second")]);
    assert_eq!((rows, counts.rows, counts.tables), (20_000, 20_000, 2));
    assert_eq!(counts, read(&bytes).unwrap());
    assert!(borders(&bytes).len() > 6, "the rows are in several frames");
}

#[test]
fn every_altered_byte_is_found() {
    let bytes = backup(40);
    read(&bytes).unwrap();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut altered = bytes.clone();
            altered[at] ^= flip;
            let error = read(&altered).unwrap_err();
            match error {
                Error::Foreign => assert!(at < MAGIC.len(), "byte {at}"),
                Error::Broken { offset, .. } => {
                    let offset = usize::try_from(offset).unwrap();
                    let right = offset <= at && borders(&bytes).contains(&offset);
                    assert!(right, "byte {at} was named {offset}");
                }
                other => panic!("byte {at}: {other}"),
            }
        }
    }
}

#[test]
fn every_shortening_is_found() {
    let bytes = backup(40);
    assert!(matches!(read(&[]), Err(Error::Foreign)));
    for length in 1..bytes.len() {
        let Err(Error::Broken { offset, why, .. }) = read(&bytes[..length]) else {
            panic!("{length} bytes were taken for all")
        };
        assert!(offset <= length as u64 && why == why::CUT_OFF, "{length}: {offset} {why}");
    }
    let more = [&bytes[..], b"x"].concat();
    assert!(matches!(read(&more), Err(Error::Broken { why: why::MORE, .. })));
}

#[test]
fn a_frame_too_few_or_too_many_or_in_another_place_is_found() {
    let bytes = backup(20_000);
    let borders = borders(&bytes);
    let frame = |at: usize| {
        let end = borders.get(at + 1).copied().unwrap_or(bytes.len());
        &bytes[borders[at]..end]
    };
    let all = |order: &[usize]| {
        let frames = order.iter().flat_map(|at| frame(*at));
        MAGIC.iter().chain(frames).copied().collect::<Vec<u8>>()
    };
    let whole: Vec<usize> = (0..borders.len()).collect();
    read(&all(&whole)).unwrap();
    for at in 0..whole.len() {
        let mut fewer = whole.clone();
        fewer.remove(at);
        read(&all(&fewer)).unwrap_err();
        let mut more = whole.clone();
        more.insert(at, at);
        read(&all(&more)).unwrap_err();
        let mut turned = whole.clone();
        turned.swap(at, (at + 1) % whole.len());
        read(&all(&turned)).unwrap_err();
    }
}

#[test]
fn a_newer_form_says_so() {
    let mut frames = frame::FrameWriter { out: Vec::new(), digest: frame::Digest::default() };
    frames.raw(MAGIC).unwrap();
    frames.frame(frame::HEADER, &[FORM.to_le_bytes().as_slice(), b"whatever"].concat()).unwrap();
    assert!(matches!(read(&frames.out), Err(Error::Broken { why: why::ALTERED, .. })));
    let mut frames = frame::FrameWriter { out: Vec::new(), digest: frame::Digest::default() };
    frames.raw(MAGIC).unwrap();
    frames.frame(frame::HEADER, &(FORM + 1).to_le_bytes()).unwrap();
    assert!(matches!(read(&frames.out), Err(Error::Newer(newer)) if newer == FORM + 1));
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    let mut bytes = backup(3);
    let at = MAGIC.len() + 1;
    bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(read(&bytes), Err(Error::Broken { why: why::ALTERED, .. })));
    let mut frames = frame::FrameWriter { out: Vec::new(), digest: frame::Digest::default() };
    let too_long = vec![0; frame::LONGEST as usize + 1];
    assert!(frames.frame(frame::ROWS, &too_long).is_err());
}
