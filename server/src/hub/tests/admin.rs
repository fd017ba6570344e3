//! What administrators keep.

use super::*;
use wire::admin::Template;

fn template(name: &str, text: &str) -> Box<Template> {
    Box::new(Template { name: name.to_owned(), prompt: NewPrompt::new(text) })
}

impl World {
    fn keep(&mut self, template: Box<Template>) -> Result<Template, crate::fault::Fault> {
        self.ask(|reply| Ask::Admin(Admin::KeepTemplate(template, By::Cli, reply)))
    }

    fn templates(&mut self) -> Vec<Template> {
        self.ask(|reply| Ask::Admin(Admin::Templates(reply))).unwrap()
    }
}

#[test]
fn a_template_is_checked_as_a_prompt_is_and_keeps_its_blanks_and_what_was_left_unsaid() {
    let mut world = World::new();
    let kept = world.keep(template("fix", "Fix {{what}}\u{1b}[201~ in {{file}}")).unwrap();
    assert_eq!(kept.prompt, NewPrompt::new("Fix {{what}}[201~ in {{file}}"), "no default is written down");
    for wrong in
        [template("", "x"), template("a\nb", "x"), template(&"n".repeat(65), "x"), template("n", " ")]
    {
        assert!(world.keep(wrong).is_err());
    }
    world.restart();
    assert_eq!(world.templates(), [kept]);
}

#[test]
fn a_template_takes_the_place_of_the_one_of_its_name_until_it_is_forgotten() {
    let mut world = World::new();
    for (name, text) in [("b", "one"), ("a", "two"), ("b", "three")] {
        world.keep(template(name, text)).unwrap();
    }
    let texts: Vec<_> = world.templates().into_iter().map(|kept| kept.prompt.text).collect();
    assert_eq!(texts, ["two", "three"]);
    let forget = |reply| Ask::Admin(Admin::ForgetTemplate("b".into(), By::Browser, reply));
    assert!(world.ask(forget).is_ok());
    assert!(world.ask(forget).is_err(), "it is gone");
    let log = world.control.store.audit_before(None, 1).unwrap().remove(0);
    assert_eq!((&*log.by, &*log.what, &*log.on), ("browser", "template.forget", "template b"));
}
