// Owns the one question that is put to a person before something is destroyed. Must not: know what it is.

export type Question = {
  title: string;
  /** What would be done to what; shown as text. */
  lines: readonly string[];
  /** What the button says that does it. */
  action: string;
};

class Confirm {
  question = $state.raw<Question | null>(null);
  #answer: (sure: boolean) => void = () => {};

  /** Whether the person is sure. */
  ask(question: Question): Promise<boolean> {
    this.#answer(false);
    this.question = question;
    return new Promise((answer) => (this.#answer = answer));
  }

  settle(sure: boolean): void {
    this.question = null;
    this.#answer(sure);
  }
}

export const confirm = new Confirm();
