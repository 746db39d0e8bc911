/** What this is, how it is read, and what the keys do. */

import { signal } from "@preact/signals";
import type { Shortcut } from "../../state/keys";
import { Dialog } from "../../ui/Dialog";

export const help = signal(false);

export function Help({ shortcuts }: { shortcuts: readonly Shortcut[] }) {
  return (
    <Dialog open={help} title="Newton Lab">
      <p>
        The same small network is trained on the same batches, once per arm: with a plain loss
        (vanilla), and with Newton losses, which first take a Newton step on the loss in the space
        of the network’s outputs and then teach the network to go there. The curvature of that step
        is the Hessian of the loss or its empirical Fisher matrix, damped by λ.
      </p>
      <p>
        <b>One time.</b> The run computes ahead at full speed. Playing, pausing and dragging the
        time slider only move what you see: charts, sentence and examples all show the run up to
        that step.
      </p>
      <p>
        <b>What if.</b> Pause in the middle and drag an arm’s λ or learning rate: the run forks
        there. The old curves stay, faint, to compare.
      </p>
      <p>
        <b>Honest marks.</b> Bands are one standard error of the test metric. Faint lines under
        smooth ones are the raw values. <span class="warn">▲</span> marks a spike: a sample’s
        gradient over ten times the usual.
      </p>
      <h3>Keys</h3>
      <dl class="keys">
        {shortcuts.map((shortcut) => (
          <div key={shortcut.shown}>
            <dt>
              <kbd>{shortcut.shown}</kbd>
            </dt>
            <dd>{shortcut.does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
