/** Terms and links of a lesson's text, with the signs that touch them. Pure. */

const BUTTON = /([^\s<>]*)(<button\b[^>]*>(?:(?!<\/button>).)*<\/button>)([^\s<]*)/gs;

/**
 * A lesson's HTML in which no line breaks between a button and what touches it.
 *
 * A browser lays a button out as a box, so that a line may end before the comma that follows it.
 */
export function joined(html: string): string {
  return html.replace(BUTTON, (all, before: string, button: string, after: string) =>
    before === "" && after === ""
      ? all
      : `<span class="joined-up">${before}${button}${after}</span>`,
  );
}
