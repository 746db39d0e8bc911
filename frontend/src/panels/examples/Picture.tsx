/** A test image; its value in words stands in where there is none. */
export function Picture({ image, text }: { image: string | null; text: string }) {
  if (image === null) return <span class="tile-text">{text}</span>;
  return <img src={image} alt={text} draggable={false} />;
}
