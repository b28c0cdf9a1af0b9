use super::*;

const TEXT: &str = r#"
word = "yes"
number = 300
negative = -1
flag = true
list = [1, "two"]
when = 2026-11-21T22:30:00Z
day = 2027-01-15
local = 2026-11-21T22:30:00

[inside]
deep = "x"
"#;

fn with<T>(see: impl FnOnce(Table<'_>) -> T) -> T {
    see(Document::parse(TEXT).unwrap().table())
}

#[test]
fn a_value_is_read_as_what_it_is_and_as_nothing_else() {
    with(|table| {
        let value = |key: &str| table.need(key).unwrap();
        assert_eq!(value("word").text(), Ok("yes"));
        assert_eq!(value("number").number(), Ok(300_u16));
        assert_eq!(value("number").number::<u8>().unwrap_err().reason, "this number is out of range");
        assert_eq!(value("negative").number(), Ok(-1_i8));
        assert!(value("negative").number::<u64>().is_err());
        assert_eq!(value("flag").boolean(), Ok(true));
        assert_eq!(value("when").moment(), Some(1_795_300_200));
        assert_eq!(value("day").day(), Some(1_799_971_200));
        for key in ["day", "local", "word"] {
            assert_eq!(value(key).moment(), None, "{key}");
        }
        for key in ["when", "local", "number"] {
            assert_eq!(value(key).day(), None, "{key}");
        }
        let [one, two] = value("list").row().unwrap();
        assert_eq!((one.number(), two.text()), (Ok(1), Ok("two")));
        assert!(value("list").row::<3>().is_err());
        let inside = value("inside").table().unwrap();
        assert_eq!(inside.need("deep").unwrap().text(), Ok("x"));
        for key in ["number", "negative", "flag", "list", "when", "inside"] {
            assert!(value(key).text().is_err(), "{key}");
        }
        for key in ["word", "flag", "list", "when", "inside"] {
            assert!(value(key).number::<i64>().is_err(), "{key}");
        }
        for key in ["word", "number", "list", "inside"] {
            assert!(value(key).boolean().is_err(), "{key}");
        }
        assert!(value("word").list().is_err() && value("list").table().is_err());
    });
}

#[test]
fn a_misfit_knows_its_place_and_no_value() {
    with(|table| {
        let number = table.need("number").unwrap();
        let misfit = number.text().unwrap_err();
        assert_eq!(misfit.start, TEXT.find("300").unwrap());
        assert_eq!(misfit.reason, "this must be a text in quotation marks");
        assert_eq!(
            table.need("nothing").map(Value::start).unwrap_err().reason,
            "the key `nothing` is missing"
        );
        assert!(table.get("nothing").is_none());
    });
    let twice = Document::parse("a = 1\na = 2\n").map(|_| ()).unwrap_err();
    assert_eq!(twice.start, 6);
    assert!(Document::parse("secret = GEZDGNBV").map(|_| ()).unwrap_err().reason.find("GEZD").is_none());
}

#[test]
fn the_first_key_that_is_not_known_is_named() {
    let known = ["flag", "inside", "list", "when", "day", "local", "wort", "negative"];
    let misfit = with(|table| table.has_only(&known)).unwrap_err();
    assert_eq!((misfit.start, misfit.reason.as_str()), (1, "unknown key `word`, did you mean `wort`"));
    let misfit = Document::parse("zzzzzzzz = 1").unwrap().table().has_only(&["one", "two"]).unwrap_err();
    assert_eq!(misfit.reason, "unknown key `zzzzzzzz`, known are `one`, `two`");
}

#[test]
fn a_word_means_something_or_is_none() {
    with(|table| {
        let word = table.need("word").unwrap();
        assert_eq!(word.word(&[("no", 0), ("yes", 1)]), Ok(1));
        assert_eq!(word.word(&[("yess", 0)]).unwrap_err().reason, "unknown word `yes`, did you mean `yess`");
        assert!(table.need("number").unwrap().word(&[("300", 0)]).is_err());
    });
}
