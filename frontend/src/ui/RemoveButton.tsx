/** Removing takes two presses of the same button. */

import { Icon } from "./Icon";
import { SureButton } from "./SureButton";

interface Props {
  /** What goes. */
  title: string;
  tip: string;
  onRemove: () => void;
}

export function RemoveButton({ title, tip, onRemove }: Props) {
  return (
    <SureButton
      class="icon-button"
      sure="Really remove?"
      tip={tip}
      names={["Remove", `Really remove ${title}`]}
      onSure={onRemove}
    >
      <Icon name="remove" />
    </SureButton>
  );
}
