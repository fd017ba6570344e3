//! Tells dialogs that read the same apart by where they appeared. Must not: look at the screen.
//!
//! A dialog is another one when it came back after a key, when its agent asked anew, or when it stands long after a key
//! that answers: then that key was lost, or another dialog took the answered one's place between two looks.
//! Invariant: redrawing it and moving its cursor leave its place as it is.

use std::time::Duration;

use crate::observation::Keys;

/// How long the picture of a dialog may stand after a key that answers it.
const STANDS: Duration = Duration::from_secs(6);

/// How long a dialog may be gone while it is redrawn.
const REDRAW: Duration = Duration::from_millis(150);

/// The dialog that was seen last.
#[derive(Debug, Default)]
pub struct Appearance(Option<Shown>);

#[derive(Debug)]
struct Shown {
    id: String,
    /// Bytes of output up to its appearance; unique, so that it grows even without output.
    place: u64,
    /// The number of the request that was told for it.
    request: Option<u64>,
    /// A key was pressed.
    touched: bool,
    /// When a key was pressed that answers.
    answered: Option<Duration>,
    /// Since when it has not been seen.
    gone: Option<Duration>,
}

impl Appearance {
    /// Where the dialog with this id appeared, seen now after so many bytes; `request` numbers what was told for it.
    pub fn place(&mut self, id: &str, request: Option<u64>, now: Duration, offset: u64) -> u64 {
        if let Some(shown) = self.0.as_mut().filter(|shown| shown.is(id, request, now)) {
            shown.gone = None;
            shown.request = request.or(shown.request);
            return shown.place;
        }
        let place = self.0.as_ref().map_or(offset, |shown| offset.max(shown.place + 1));
        let id = id.to_owned();
        self.0 = Some(Shown { id, place, request, touched: false, answered: None, gone: None });
        place
    }

    /// No dialog is seen.
    pub fn none(&mut self, now: Duration) {
        if let Some(shown) = &mut self.0 {
            shown.gone.get_or_insert(now);
        }
    }

    /// Somebody pressed keys.
    pub fn pressed(&mut self, keys: Keys, now: Duration) {
        let Some(shown) = &mut self.0 else { return };
        shown.touched = true;
        // The queue types into a dialog only to answer it; a person's other keys may only move the cursor.
        if keys.enter || keys.escape || keys.interrupt || keys.queue {
            shown.answered.get_or_insert(now);
        }
    }

    /// When a dialog that still stands is another one.
    pub fn due(&self) -> Option<Duration> {
        self.0.as_ref().filter(|shown| shown.gone.is_none())?.answered.map(|at| at + STANDS)
    }
}

impl Shown {
    fn is(&self, id: &str, request: Option<u64>, now: Duration) -> bool {
        let back = self.gone.is_none_or(|at| !self.touched && now <= at + REDRAW);
        let open = self.answered.is_none_or(|at| now < at + STANDS);
        let anew = matches!((self.request, request), (Some(before), Some(request)) if before != request);
        self.id == id && back && open && !anew
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn shown() -> Appearance {
        let mut appearance = Appearance::default();
        assert_eq!(appearance.place("a", None, ms(0), 100), 100);
        appearance
    }

    #[test]
    fn a_dialog_that_is_redrawn_or_whose_cursor_moves_stays_where_it_is() {
        let mut appearance = shown();
        assert_eq!(appearance.place("a", Some(1), ms(10), 300), 100, "its request was told late");
        appearance.none(ms(20));
        assert_eq!(appearance.place("a", Some(1), ms(100), 400), 100);
        appearance.pressed(Keys { text: true, ..Keys::default() }, ms(200));
        assert_eq!(appearance.place("a", None, ms(60_000), 500), 100);
        assert_eq!(appearance.due(), None);
    }

    #[test]
    fn one_that_comes_back_after_a_key_is_another_however_soon() {
        for keys in [Keys { text: true, ..Keys::default() }, Keys { enter: true, ..Keys::default() }] {
            let mut appearance = shown();
            appearance.pressed(keys, ms(10));
            appearance.none(ms(20));
            assert_eq!(appearance.place("a", None, ms(21), 300), 300);
        }
        let mut appearance = shown();
        appearance.none(ms(20));
        assert_eq!(appearance.place("a", None, ms(2_000), 300), 300, "it was gone for too long");
    }

    #[test]
    fn one_that_is_asked_for_anew_is_another_even_without_output() {
        let mut appearance = shown();
        assert_eq!(appearance.place("a", Some(1), ms(10), 100), 100);
        assert_eq!(appearance.place("a", Some(2), ms(20), 100), 101);
    }

    #[test]
    fn one_that_stands_long_after_its_answer_is_another() {
        let mut appearance = shown();
        appearance.pressed(Keys { queue: true, text: true, ..Keys::default() }, ms(10));
        assert_eq!(appearance.place("a", None, ms(1_000), 200), 100, "the picture of the answered one");
        let due = appearance.due().unwrap();
        assert_eq!(appearance.place("a", None, due, 200), 200);
        assert_eq!(appearance.due(), None);
    }
}
