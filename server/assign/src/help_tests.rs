//! `--help` of each command as it was agreed on, in `tests/help`: a change of the command line is a change that is seen.
//! `INSTA_UPDATE=always cargo test -p assign help` writes them anew.

use clap::{Command, CommandFactory};

use crate::cli::Cli;

fn helps(command: &mut Command, name: &str, out: &mut Vec<(String, String)>) {
    out.push((name.to_owned(), command.render_long_help().to_string()));
    for sub in command.get_subcommands_mut() {
        let name = format!("{name} {}", sub.get_name());
        helps(sub, &name, out);
    }
}

#[test]
fn the_help_of_each_command_is_as_agreed() {
    let mut command = Cli::command().term_width(100);
    command.build();
    let mut all = Vec::new();
    helps(&mut command, "assign", &mut all);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../tests/help");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, help) in all {
            insta::assert_snapshot!(name.replace(' ', "-"), help);
        }
    });
}
