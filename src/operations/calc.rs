//! `headroom calc`: the calculators of the library, on the command line.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::domain::calculator::{self, Answer, Calculator, Fault, Inputs, Step, Worked};
use crate::domain::quantity::Quantity;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Which calculator.
    #[arg(required_unless_present = "list")]
    pub name: Option<String>,
    /// Inputs as `key=value`, as in `dau=10M` or `service=15ms`; the rest have their defaults.
    pub pairs: Vec<String>,
    /// Name every calculator and its inputs.
    #[arg(long, conflicts_with_all = ["name", "pairs"])]
    pub list: bool,
    /// Print JSON
    ///
    /// One object: `name`; `inputs` with `id`, `label`, `typed`, `given`, `note`, `source`; `results`, one for each step of the
    /// working, with `id`, `label`, `formula`, `numbers`, `text`; `warnings`; `at_10x`; `assumption`; `citations`. A number stands
    /// twice: `value` in `unit`, and `base_value` in bytes, seconds and dollars. In overload both are null, and
    /// `growing_by_per_second` says how fast the queue grows. With --list: an array of declarations. Keys and units stay as they are;
    /// further keys may come.
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &Args) -> ExitCode {
    let Some(name) = &args.name else {
        list(args.json);
        return ExitCode::SUCCESS;
    };
    let Some(calculator) = calculator::find(name) else {
        match calculator::nearest_slug(name) {
            Some(near) => eprintln!("headroom: no calculator `{name}`: did you mean `{near}`?"),
            None => {
                eprintln!("headroom: no calculator `{name}`: `headroom calc --list` names them");
            }
        }
        return ExitCode::FAILURE;
    };
    let (pairs, loose): (Vec<_>, Vec<_>) = args
        .pairs
        .iter()
        .map(|pair| pair.split_once('=').ok_or(pair))
        .partition(Result::is_ok);
    let pairs = pairs.into_iter().flatten();
    let pairs = pairs.map(|(key, value)| (key.trim(), value));
    let inputs = Inputs::from_query(calculator, pairs);
    let worked = inputs.work();
    let loose = loose.into_iter().filter_map(Result::err);
    let mut is_whole = true;
    for pair in loose {
        is_whole = false;
        let first = calculator.inputs[0];
        eprintln!(
            "headroom: `{pair}` is no input: write `key=value`, as in `{}={}`",
            first.id, first.default
        );
    }
    match worked {
        Ok(worked) if is_whole => {
            if args.json {
                say!("{:#}", as_json(&worked));
            } else {
                print(&worked);
            }
            ExitCode::SUCCESS
        }
        Ok(_) => ExitCode::FAILURE,
        Err(faults) => {
            for fault in &faults {
                eprintln!("headroom: {}", in_words(fault));
            }
            ExitCode::FAILURE
        }
    }
}

fn in_words(fault: &Fault) -> String {
    let Fault {
        key,
        message,
        expected,
    } = fault;
    match expected {
        Some(expected) => format!("{key}: {message} Expected: {expected}."),
        None => message.clone(),
    }
}

fn list(json: bool) {
    let all = calculator::all();
    if json {
        say!("{:#}", all.iter().map(declaration).collect::<Value>());
        return;
    }
    for calculator in all {
        say!("{}: {}", calculator.slug, calculator.summary);
        for input in calculator.inputs {
            say!("  {}={}  {}", input.id, input.default, input.label);
        }
    }
}

fn declaration(calculator: &Calculator) -> Value {
    let inputs = calculator.inputs.iter().map(|input| {
        json!({
            "id": input.id,
            "label": input.label,
            "unit": input.unit,
            "default": input.default,
            "source": input.source.to_string(),
            "min": input.min,
            "max": input.max,
            "whole": input.whole,
            "typical": [input.typical.from, input.typical.to],
            "typical_source": input.typical.source.to_string(),
            "help": input.help,
        })
    });
    let outputs = calculator
        .outputs
        .iter()
        .map(|output| json!({ "id": output.id, "label": output.label, "unit": output.unit }));
    json!({
        "name": calculator.slug,
        "title": calculator.title,
        "summary": calculator.summary,
        "inputs": inputs.collect::<Value>(),
        "outputs": outputs.collect::<Value>(),
    })
}

fn print(worked: &Worked) {
    let calculator = worked.inputs.calculator;
    say!("{}\n{}\n\nInputs", calculator.title, calculator.summary);
    for field in &worked.inputs.fields {
        let shown = field.reading.as_ref().map(|value| field.input.show(*value));
        let origin = if field.given {
            field.note.clone().unwrap_or_else(|| "given".to_owned())
        } else {
            format!("default: {}", field.input.source)
        };
        say!(
            "  {} = {} ({origin})  {}",
            field.input.id,
            shown.unwrap_or_default(),
            field.input.label
        );
    }
    say!("\nWorking");
    for step in worked.steps() {
        say!("  {} = {}", step.output.id, step.formula);
        if step.numbers != step.formula {
            say!("    = {}", step.numbers);
        }
        say!("    = {}", step.shown);
    }
    say!("\nResults");
    for shown in worked.main() {
        say!("  {}: {}", shown.output.label, shown.text);
    }
    for warning in worked.warnings() {
        say!("\nWarning: {warning}");
    }
    say!("\n{}", worked.at_ten_times());
    say!("\nWhat matters most: {}", calculator.assumption);
    say!("\nFormulas");
    for citation in calculator.citations {
        say!("  {}: {}", citation.formula, citation.source);
    }
}

fn as_json(worked: &Worked) -> Value {
    let calculator = worked.inputs.calculator;
    let inputs = worked.inputs.fields.iter().map(|field| {
        let value = field.reading.as_ref().ok().copied();
        json!({
            "id": field.input.id,
            "label": field.input.label,
            "typed": field.text,
            "given": field.given,
            "unit": field.input.unit,
            "value": value.map(|value| field.input.measured(value)),
            "base_value": value.map(Quantity::value),
            "note": field.note,
            "source": (!field.given).then(|| field.input.source.to_string()),
        })
    });
    let citations = calculator.citations.iter();
    let citations =
        citations.map(|cited| json!({ "formula": cited.formula, "source": cited.source }));
    json!({
        "name": calculator.slug,
        "inputs": inputs.collect::<Value>(),
        "results": worked.steps().iter().map(result).collect::<Value>(),
        "warnings": worked.warnings(),
        "at_10x": worked.at_ten_times(),
        "assumption": calculator.assumption,
        "citations": citations.collect::<Value>(),
    })
}

/// A step. `value` is in `unit`, `base_value` in bytes, seconds and dollars; both are null in overload, which `growing_by_per_second`
/// measures, and where there is no number.
fn result(step: &Step) -> Value {
    let value = step.answer.value();
    let growing = match step.answer {
        Answer::Growing { by_per_second } => Some(by_per_second),
        Answer::Value(_) | Answer::Words(_) => None,
    };
    json!({
        "id": step.output.id,
        "label": step.output.label,
        "formula": step.formula,
        "numbers": step.numbers,
        "unit": step.output.unit,
        "value": value.map(|value| step.output.measured(value)),
        "base_value": value.map(Quantity::value),
        "growing_by_per_second": growing,
        "text": step.shown,
    })
}
