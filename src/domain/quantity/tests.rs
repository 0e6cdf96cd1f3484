//! What people type, what is shown, what is refused; and what holds for any input.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

fn unit(text: &str) -> Unit {
    Unit::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

/// Each text is a quantity that is shown like this.
fn check_normalized(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(quantity(text).normalized(), *expected, "`{text}`");
    }
}

/// Each text is a quantity that is shown in a unit like this.
fn check_shown_in(cases: &[(&str, &str, &str)]) {
    for (text, label, expected) in cases {
        let shown = quantity(text).display_in(&unit(label));
        assert_eq!(shown, *expected, "`{text}` in `{label}`");
    }
}

/// Each text with what is wrong with it, the place marked.
fn refusals(texts: &[&str]) -> String {
    let mut report = String::new();
    for text in texts {
        let error = match Quantity::parse(text) {
            Ok(quantity) => panic!("`{text}` is {}", quantity.normalized()),
            Err(error) => error,
        };
        let before = text[..error.span.start].chars().count();
        let marked = text[error.span.clone()].chars().count().max(1);
        let _ = writeln!(
            report,
            "  {text}\n  {}{}\n{}\n",
            " ".repeat(before),
            "^".repeat(marked),
            error.message
        );
    }
    report
}

#[test]
fn counts() {
    check_normalized(&[
        ("0", "0"),
        ("-0", "0"),
        ("7", "7"),
        ("1,200,000", "1.2 M"),
        ("1_000", "1,000"),
        ("1\u{a0}200\u{202f}000", "1.2 M"),
        ("1\u{2009}500", "1,500"),
        ("12345", "12,300"),
        ("999,950", "1 M"),
        (".5", "0.5 (50 %)"),
        ("5.", "5"),
        ("1.2e6", "1.2 M"),
        ("1.2E+6", "1.2 M"),
        ("2e-5", "2e-5"),
        ("1e18", "1e18"),
        ("5k", "5,000"),
        ("5 K", "5,000"),
        ("5M", "5 M"),
        ("~ 5M", "5 M"),
        ("≈5M", "5 M"),
        ("5 G", "5 bn"),
        ("1.5T", "1.5 tn"),
        ("2 bn users", "2 bn"),
        ("2 billion users", "2 bn"),
        ("3 hundred million", "300 M"),
        ("40 Million users", "40 M"),
        ("1 trillion events", "1 tn"),
        ("5B users", "5 bn"),
        ("5b users", "5 bn"),
        ("3 x", "3"),
        ("3x", "3"),
        ("3 ×", "3"),
        ("10k ops", "10,000"),
        ("5Mreq", "5 M"),
        ("12 zebras", "12"),
        ("99.95 %", "0.9995 (99.95 %)"),
        ("99.999%", "0.99999 (99.999 %)"),
        ("20%", "0.2 (20 %)"),
        ("100 percent", "1"),
        ("50 ppm", "5e-5"),
        ("5 per cent", "0.05 (5 %)"),
        ("-3", "-3"),
        ("− 3", "-3"),
    ]);
}

#[test]
fn rates() {
    check_normalized(&[
        ("5M/s", "5 M /s"),
        ("830 req/s", "830 /s"),
        ("830 req / s", "830 /s"),
        ("830 requests per second", "830 /s"),
        ("1.2e6 req/min", "20,000 /s"),
        ("12 M / day", "139 /s"),
        ("12M payments a day", "139 /s"),
        ("5B req/day", "57,900 /s"),
        ("10k rps", "10,000 /s"),
        ("10 krps", "10,000 /s"),
        ("3 Mqps", "3 M /s"),
        ("600 rpm", "10 /s"),
        ("1/s", "1 /s"),
        ("100 Hz", "100 /s"),
        ("1 req per 10 s", "6 /min"),
        ("5/day", "5 /day"),
        ("3/month", "3 /month"),
        ("0.5 /year", "0.5 /year"),
        ("0/s", "0 /s"),
        ("2 writes/user/day", "2 /day"),
    ]);
}

#[test]
fn sizes_and_bandwidths() {
    check_normalized(&[
        ("300 KB", "300 KB"),
        ("300 kB", "300 KB"),
        ("300 Kbytes", "300 KB"),
        ("300 kilobytes", "300 KB"),
        ("4 MBs", "4 MB"),
        ("300 B", "300 B"),
        ("5B", "5 B"),
        ("5B/s", "5 B/s (432 KB/day)"),
        ("300 B per row", "300 B"),
        ("300 B each", "300 B"),
        ("300 KB/req", "300 KB"),
        ("1 KiB", "1.02 KB"),
        ("512 MiB", "537 MB"),
        ("1 gibibyte", "1.07 GB"),
        ("999.9 KB", "1 MB"),
        ("8 bits", "1 B"),
        ("1 Mbit", "125 KB"),
        ("1 Mb", "125 KB"),
        ("0.1 B", "0.1 B"),
        ("4,000 EB", "4,000 EB"),
        ("2.5 TB/day", "28.9 MB/s (2.5 TB/day)"),
        ("5 GB/s", "5 GB/s (432 TB/day)"),
        ("5 Gb/s", "625 MB/s (54 TB/day)"),
        ("5 Gbps", "625 MB/s (54 TB/day)"),
        ("5 gbps", "625 MB/s (54 TB/day)"),
        ("5 GBps", "5 GB/s (432 TB/day)"),
        ("100 Mbit/s", "12.5 MB/s (1.08 TB/day)"),
        ("400 KB/s", "400 KB/s (34.6 GB/day)"),
        ("10 KB/day", "10 KB/day"),
        ("10 B/year", "10 B/year"),
        ("5 TB / 2 days", "28.9 MB/s (2.5 TB/day)"),
    ]);
}

#[test]
fn durations_and_money() {
    check_normalized(&[
        ("150ms", "150 ms"),
        ("2.4 s", "2.4 s"),
        ("90 secs", "90 s"),
        ("5 min", "5 min"),
        ("20 µs", "20 µs"),
        ("20 μs", "20 µs"),
        ("20us", "20 µs"),
        ("5 ns", "5 ns"),
        ("999.9 us", "1 ms"),
        ("3 hrs", "3 h"),
        ("1 day", "24 h"),
        ("2 wk", "14 days"),
        ("1 month", "30 days"),
        ("5 years", "5 years"),
        ("5 Min", "5 min"),
        ("0 ms", "0 s"),
        ("$1,200", "$1,200"),
        ("$5k", "$5,000"),
        ("$ 12.3", "$12.30"),
        ("US$5", "$5"),
        ("USD 5k", "$5,000"),
        ("5 USD", "$5"),
        ("5 k$", "$5,000"),
        ("12 cents", "$0.12"),
        ("12¢", "$0.12"),
        ("-$5", "-$5"),
        ("$5B", "$5 bn"),
        ("$1.2M/month", "$1.2 M/month"),
        ("$5/h", "$3,600/month"),
        ("$0.023/GB-month", "$0.023/GB-month"),
        ("$0.023 per GB per month", "$0.023/GB-month"),
        ("$0.023 / GB / month", "$0.023/GB-month"),
        ("$0.09/GB", "$0.09/GB"),
        ("$0.20 per million requests", "$2e-7"),
        ("$0.20 / 1M requests", "$2e-7"),
        ("3 days a week", "0.429 (42.9 %)"),
        ("4 GB-s", "4e9 B·s"),
        ("5 s²", "5 s²"),
        ("2 s/GB", "2e-9 s/B"),
        ("7 rows/KB", "7 M /GB"),
    ]);
}

#[test]
fn formulas_without_names() {
    check_normalized(&[
        ("= 2 + 3 * 4", "14"),
        ("= (2 + 3) * 4", "20"),
        ("= 2 ^ 3 ^ 2", "512"),
        ("= -2^2", "-4"),
        ("= 2^-1", "0.5 (50 %)"),
        ("= 7 - 2 - 1", "4"),
        ("= 8 / 4 / 2", "1"),
        ("= 1.2 × 10^6", "1.2 M"),
        ("= 1.2 · 10⁶", "1.2 M"),
        ("= 6 ÷ 4", "1.5"),
        ("= 3 x 5", "15"),
        ("= 5M users x 2", "10 M"),
        ("= (2 s)^2", "4 s²"),
        ("= 2 s²", "2 s²"),
        ("= 500 req/s * 2 s", "1,000"),
        ("= 200/s * 2 KB", "400 KB/s (34.6 GB/day)"),
        ("= 500 tweets/s * 2 s", "1,000"),
        ("= 12M / day", "139 /s"),
        ("= 12M / 1 day", "139 /s"),
        ("= 5M * 2 per day", "116 /s"),
        ("= 1 TB / 50 MB/s", "5.56 h"),
        ("= 300 KB/req * 10 req/s", "3 MB/s (259 GB/day)"),
        ("= 10 TB * $0.023/GB-month * 1 month", "$230"),
        ("= 10M * 20%", "2 M"),
        ("=~5M*2", "10 M"),
        ("= 30 day + 1 h", "30 days"),
        ("= 5 MiB − 1 MiB", "4.19 MB"),
    ]);
}

#[test]
fn shown_in_a_unit() {
    check_shown_in(&[
        ("12M/day", "req/s", "139 req/s"),
        ("139/s", "M req/day", "12 M req/day"),
        ("5M/s", "req/s", "5 M req/s"),
        ("830/s", "1/s", "830 /s"),
        ("830/s", "/s", "830 /s"),
        ("400 KB/s", "GB/day", "34.6 GB/day"),
        ("300 KB", "GB", "0.0003 GB (300 KB)"),
        ("12 TB", "GB", "12,000 GB"),
        ("3 PB", "GB", "3,000,000 GB (3 PB)"),
        ("2.4 s", "ms", "2,400 ms"),
        ("$14,400/year", "$/month", "$1,180/month"),
        ("$0.023/GB-month", "$/GB-month", "$0.023/GB-month"),
        ("$5", "USD", "5 USD"),
        ("99.95 %", "%", "99.95 %"),
        ("0.2", "%", "20 %"),
        ("12M", "users", "12 M users"),
        ("4", "x", "4 x"),
        ("5 GB", "req/s", "5 GB"),
    ]);
    let gigabyte = unit(" GB/day ");
    assert_eq!(gigabyte.label(), "GB/day");
    assert_eq!(gigabyte.dimension(), Dimension::BANDWIDTH);
    assert_eq!(quantity("86,400 B/day").value_in(&unit("B/s")), Some(1.0));
    assert_eq!(quantity("5 GB").value_in(&unit("s")), None);
    for broken in ["", "5 GB", "1 GB", "m", "mb", "GB/", "(s)", "+"] {
        assert!(Unit::parse(broken).is_err(), "`{broken}`");
    }
}

#[test]
fn refused_literals() {
    let report = refusals(&[
        "",
        "lots",
        "about 5M",
        "dau * 2 KB",
        "m",
        "5 m",
        "5 b",
        "5 mb",
        "5 kb/s",
        "5 Mbs",
        "5M daily",
        "4 nines",
        "€5",
        "5 eur",
        "1,5",
        "12,34",
        "0,023",
        "1.200.000",
        "1 200 000",
        "1 .. 2",
        "1..2 M/s",
        "5-10 M/s",
        "5M – 10M",
        "5M to 10M",
        "5M ± 1M",
        "< 200 ms",
        "5M * 2",
        "5M / 2",
        "10^6",
        "10⁶",
        "300 KB + 20%",
        "5M req/s (peak)",
        "5 /",
        "5 per",
        "5 req million",
        "5 secnds",
        "5 gigabites",
        "5 MS",
        "5 S",
        "5 q5",
        "5Mfoos",
        "5 J",
        "1e308",
        "1e99 million",
        "5 / 0 s",
        "5 §",
        "5M+",
        "5 µs µs µs µs µs µs µs µs µs µs",
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn refused_formulas() {
    let nested = format!("= {}1{}", "(".repeat(70), ")".repeat(70));
    let signs = format!("= {}1", "-".repeat(70));
    let long = format!("= 1{}", " + 1".repeat(60));
    let report = refusals(&[
        "=",
        "= 5 *",
        "= * 5",
        "= (5",
        "= (5 ! 3)",
        "= 5)",
        "= 5 5",
        "= 2 (3 + 4)",
        "= 1,5 * 2",
        "= 5 KB + 2 s",
        "= 5 KB - 2",
        "= 5 + 2/s",
        "= $5 + 2",
        "= 5 / 0",
        "= 5 KB / (2 - 2)",
        "= 0 ^ -1",
        "= (0-8) ^ 0.5",
        "= 2 ^ (3 s)",
        "= (2 KB) ^ 0.5",
        "= (2 KB) ^ 10",
        "= (2 KB)^9 * 1 KB",
        "= 10 ^ 1000",
        "= 1e60 * 1e60",
        "= dau * 2",
        "= 5 * m",
        "= 5 > 3",
        "= 5 = 5",
        "= 5 ! 3",
        "= 5 peak_rate",
        "= 300 KB / user",
        &nested,
        &signs,
        &long,
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn names() {
    let scope: Vec<(String, Quantity)> = [
        ("dau", "10M"),
        ("peak_rate", "830/s"),
        ("replicas", "3"),
        ("day", "7"),
        ("users", "2"),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), quantity(text)))
    .collect();
    let evaluate = |text: &str| match Formula::parse(text).and_then(|it| it.evaluate(&scope)) {
        Ok(quantity) => quantity.normalized(),
        Err(error) => format!("{} [{}]", error.message, &text[error.span]),
    };
    let mut report = String::new();
    for text in [
        "= dau * 2 / 86400 s",
        "= peak_rate * 2 KB",
        "= DAU * 2",
        "= peak_rat * 2",
        "= 10 TB/replicas",
        "= 10 TB/replicas^2",
        "= 10 TB / replicas",
        "10 TB / replicas",
        "= 2 replicas",
        "5M users",
        "= 5M users",
        "= 10 TB/users",
        "= dau per hour",
        "= dau / day",
        "= dau/day",
        "= 14/day",
        "= dau dau",
        "dau",
    ] {
        let _ = writeln!(report, "{text:24}{}", evaluate(text));
    }
    insta::assert_snapshot!(report);
}

#[test]
fn decimal_and_binary_sizes_are_told_apart() {
    for (power, (decimal, binary)) in [
        ("1 KB", "1 KiB"),
        ("1 MB", "1 MiB"),
        ("1 GB", "1 GiB"),
        ("1 TB", "1 TiB"),
        ("1 PB", "1 PiB"),
        ("1 EB", "1 EiB"),
    ]
    .into_iter()
    .enumerate()
    {
        let ratio = quantity(binary).checked_div(quantity(decimal)).unwrap();
        let expected = 1.024_f64.powi(power as i32 + 1);
        assert!((ratio.value() - expected).abs() < 1e-12, "{binary}");
    }
}

#[test]
fn a_quantity_crosses_the_wire_only_when_finite() {
    let quantity = quantity("2.5 TB/day");
    let json = serde_json::to_string(&quantity).unwrap();
    assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
    assert!(
        serde_json::from_str::<Quantity>(&json.replace("28935185.185185187", "1e200")).is_err()
    );
}

/// Text made of what the grammar is made of, which finds more than arbitrary characters do.
fn quantity_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "=", "5", "1,200", "1.2e6", "0", "9e99", ".", "..", "k", "M", "B", "bn", "m", "b", "x",
        "per", "a", "day", "s", "ms", "µs", "KB", "MiB", "Mb", "mb", "GB-month", "$", "¢", "€",
        "%", "req", "dau", "foo_1", "secnds", "/", "*", "×", "·", "÷", "+", "-", "−", "–", "^",
        "²", "⁻¹", "(", ")", "~", "≈", ",", " ", "\u{a0}", "\u{2009}", "é", "漢字", "🦀",
        "\u{301}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn dimension() -> impl Strategy<Value = Dimension> {
    (-3..=3_i8, -3..=3_i8, -3..=3_i8)
        .prop_map(|(data, time, money)| Dimension::of(data, time, money))
}

fn common_dimension() -> impl Strategy<Value = Dimension> {
    prop::sample::select(vec![
        Dimension::NONE,
        Dimension::RATE,
        Dimension::DATA,
        Dimension::BANDWIDTH,
        Dimension::TIME,
        Dimension::MONEY,
        Dimension::SPENDING,
        Dimension::of(-1, 0, 1),
        Dimension::of(-1, -1, 1),
        Dimension::of(-1, 0, 0),
    ])
}

fn value() -> impl Strategy<Value = f64> {
    (-1.0..1.0_f64, -12..24_i32).prop_map(|(digits, exponent)| digits * 10_f64.powi(exponent))
}

/// Nothing panics, every span can be used to slice, every value is finite.
fn check_any(text: &str) {
    match Quantity::parse(text) {
        Ok(quantity) => {
            assert!(quantity.value().is_finite());
            assert!(!quantity.normalized().is_empty());
        }
        Err(error) => {
            assert!(text.get(error.span.clone()).is_some(), "{:?}", error.span);
            assert!(!error.message.is_empty());
        }
    }
    match Unit::parse(text) {
        Ok(unit) => assert!(unit.factor() > 0.0 && unit.factor().is_finite()),
        Err(error) => assert!(text.get(error.span.clone()).is_some(), "{:?}", error.span),
    }
}

/// What is shown parses to the same quantity within 1 %, up to the aside in brackets.
fn check_round_trip(quantity: Quantity) {
    let shown = quantity.normalized();
    let main = shown.split(" (").next().unwrap();
    let read = Quantity::parse(main).unwrap_or_else(|error| panic!("`{shown}`: {error}"));
    assert_eq!(read.dimension(), quantity.dimension(), "`{shown}`");
    let error = (read.value() - quantity.value()).abs();
    assert!(error <= 0.01 * quantity.value().abs(), "`{shown}`");
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        check_any(&text);
        check_any(&format!("={text}"));
        check_any(&format!("5 {text}"));
    }

    #[test]
    fn any_likely_text_is_read_without_a_panic(text in quantity_like()) {
        check_any(&text);
    }

    #[test]
    fn what_is_shown_reads_back(value in value(), dimension in common_dimension()) {
        check_round_trip(Quantity::new(value, dimension).unwrap());
    }

    #[test]
    fn what_is_shown_reads_back_in_any_dimension(value in value(), dimension in dimension()) {
        check_round_trip(Quantity::new(value, dimension).unwrap());
    }

    #[test]
    fn what_is_shown_in_a_unit_reads_back(
        value in value(),
        label in prop::sample::select(vec!["req/s", "M req/day", "GB/day", "ms", "%", "$/month", "$/GB-month", "users", "MiB"]),
    ) {
        let unit = unit(label);
        let quantity = Quantity::new(value, unit.dimension()).unwrap();
        let shown = quantity.display_in(&unit);
        let read = Quantity::parse(shown.split(" (").next().unwrap()).unwrap();
        prop_assert_eq!(read.dimension(), quantity.dimension());
        prop_assert!((read.value() - value).abs() <= 0.01 * value.abs(), "`{}`", shown);
    }

    #[test]
    fn dimensions_are_a_group(a in dimension(), b in dimension()) {
        prop_assert_eq!(a.times(b).and_then(|product| product.over(b)), Some(a));
        prop_assert_eq!(a.times(b), b.times(a));
        prop_assert_eq!(a.over(a), Some(Dimension::NONE));
        prop_assert_eq!(a.power(2), a.times(a));
    }

    #[test]
    fn a_product_divided_gives_the_factor_back(
        a in value(), b in value().prop_filter("not zero", |b| b.abs() > 1e-12),
        of_a in dimension(), of_b in dimension(),
    ) {
        let (a, b) = (Quantity::new(a, of_a).unwrap(), Quantity::new(b, of_b).unwrap());
        let back = a.checked_mul(b).unwrap().checked_div(b).unwrap();
        prop_assert_eq!(back.dimension(), a.dimension());
        prop_assert!((back.value() - a.value()).abs() <= 1e-9 * a.value().abs());
    }
}
