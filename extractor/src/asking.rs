//! What the agent asks: the dialog on its screen, where it appeared, and the request that was told for it.
//! Must not: read the screen.

use crate::extractor::Extractor;
use crate::observation::{Dialog, DialogKind, Observation, Seen};

impl Extractor {
    /// The dialog on the screen, with the request that was told for it.
    pub(crate) fn ask(&mut self, out: &mut Vec<Observation>) {
        let asked = self.sight.dialog.clone().map(|dialog| self.placed(dialog));
        if asked.is_none() {
            self.appearance.none(self.now);
        }
        self.acted |= asked.is_some();
        if asked != self.asked {
            self.asked.clone_from(&asked);
            self.emit(Seen::Dialog(asked), out);
        }
    }

    fn placed(&mut self, dialog: Dialog) -> Dialog {
        let request = match dialog.kind {
            DialogKind::Permission | DialogKind::Plan => self.telling.request.clone(),
            DialogKind::Question | DialogKind::Trust | DialogKind::Login | DialogKind::Other => None,
        };
        let number = request.as_ref().map(|request| request.number);
        let place = self.appearance.place(&dialog.id, number, self.now, self.offset);
        Dialog { place, request, ..dialog }
    }
}
