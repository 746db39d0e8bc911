/** Line icons (Lucide), 18 px, in the colour of the text around them. */

import {
  ArrowRightToLine,
  ChevronRight,
  CircleHelp,
  Copy,
  Dices,
  Download,
  GitFork,
  type IconNode,
  Link,
  Minus,
  Moon,
  Pause,
  Pencil,
  Pin,
  PinOff,
  Play,
  Plus,
  Presentation,
  RotateCcw,
  Square,
  Sun,
  SunMoon,
  Trash2,
  X,
} from "lucide";
import { createElement } from "preact";

const ICONS = {
  play: Play,
  pause: Pause,
  stop: Square,
  rename: Pencil,
  minus: Minus,
  plus: Plus,
  head: ArrowRightToLine,
  reset: RotateCcw,
  seed: Dices,
  share: Link,
  export: Download,
  fork: GitFork,
  help: CircleHelp,
  system: SunMoon,
  light: Sun,
  dark: Moon,
  present: Presentation,
  pin: Pin,
  unpin: PinOff,
  remove: Trash2,
  close: X,
  copy: Copy,
  open: ChevronRight,
} satisfies Record<string, IconNode>;

export type IconName = keyof typeof ICONS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {ICONS[name].map(([tag, attributes], index) =>
        createElement(tag, { ...attributes, key: index }),
      )}
    </svg>
  );
}
