//! The emulated screen. Promises: any bytes are drawn, whatever the size; the screen, its styles and what scrolled off it are the
//! same however the bytes were cut, whether or not plain lines are kept from the emulator; a snapshot draws the same screen again.

#![no_main]

use extractor::vt::{Screen, Styled, Vt};
use fuzz::script::{Script, Step};
use libfuzzer_sys::fuzz_target;

fn gone(vt: &mut Vt) -> (usize, Vec<(String, bool, bool)>) {
    let (lost, mut rows) = (vt.lost(), Vec::new());
    vt.take_gone(|row| rows.push((row.text.to_owned(), row.continues, row.alternate)));
    (lost, rows)
}

fn look(vt: &Vt) -> (Screen, Vec<u8>, (u16, u16), Vec<Styled>) {
    let styles = (0..usize::from(vt.size().1)).flat_map(|row| vt.styles(row, 0)).collect();
    (vt.screen(), vt.redraw(), vt.cursor(), styles)
}

/// Where the emulator fails, what stands afterwards depends on what it was given at once.
fn compare(whole: &mut Vt, cut: &mut Vt, told: bool) {
    if !whole.has_failed() && !cut.has_failed() {
        assert_eq!(look(whole), look(cut));
        if told {
            assert_eq!(gone(whole), gone(cut));
        }
    }
}

fn redraws(vt: &Vt) {
    let (cols, rows) = vt.size();
    let mut fresh = Vt::new(cols, rows);
    fresh.feed(&vt.redraw());
    let (seen, drawn) = (vt.screen(), fresh.screen());
    assert_eq!((seen.rows, seen.alternate), (drawn.rows, drawn.alternate));
}

fuzz_target!(|bytes: &[u8]| {
    let Some(script) = Script::read(bytes) else { return };
    // Small screens show the same in less time; a new size may be any.
    let (mut whole, mut cut) =
        (Vt::without_bypass(script.cols % 64, script.rows % 24), Vt::new(script.cols % 64, script.rows % 24));
    for step in &script.steps {
        match step {
            Step::Output(bytes) => {
                whole.feed(bytes);
                bytes.chunks(script.cut).for_each(|piece| cut.feed(piece));
            }
            Step::Size(cols, rows) => {
                whole.resize(*cols, *rows);
                cut.resize(*cols, *rows);
                assert_eq!(cut.size(), ((*cols).max(1), (*rows).max(1)));
            }
            Step::Look => compare(&mut whole, &mut cut, false),
            Step::Keys(_) => compare(&mut whole, &mut cut, true),
            Step::Later(_) | Step::Fact(..) => {}
        }
    }
    compare(&mut whole, &mut cut, true);
    assert_eq!(cut.screen().rows.len(), usize::from(cut.size().1));
    redraws(&cut);
});
