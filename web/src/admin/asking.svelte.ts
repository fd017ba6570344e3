// Owns how a section asks the server: one request at a time, its failure kept to be shown. Must not: know what is asked.
import { refusal, type Refused } from '../http.ts';

export class Asking {
  busy = $state(false);
  error = $state.raw<Refused | null>(null);

  /** Whether it was done. */
  async do(request: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = null;
    try {
      await request();
      return true;
    } catch (failure) {
      this.error = refusal(failure);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
