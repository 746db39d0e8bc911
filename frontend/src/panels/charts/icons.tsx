/** Icons of the charts' buttons, 16 px, in the colour of the text around them. */

const PATHS = {
  table: "M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6.5 3.5v9",
  expand: "M9.5 2.5h4v4M13.5 2.5l-4.5 4.5M6.5 13.5h-4v-4M2.5 13.5l4.5-4.5",
  shrink: "M13.5 6.5h-4v-4M9.5 6.5l4.5-4.5M2.5 9.5h4v4M6.5 9.5l-4.5 4.5",
  camera: "M2.5 5h2.6l1-1.5h3.8l1 1.5h2.6v7.5h-11zM8 6.2a2.4 2.4 0 1 0 .01 0",
  what: "M8 1.8a6.2 6.2 0 1 0 .01 0M6.1 6.2a1.9 1.9 0 1 1 2.7 1.7c-.6.3-.8.6-.8 1.3M8 11.2v.6",
  reset: "M3 8a5 5 0 1 1 1.6 3.7M3 12.5V9h3.5",
};

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.3" />
    </svg>
  );
}
