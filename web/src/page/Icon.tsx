const SHAPES = {
  back: 'M4 3h2v10H4zM14 3v10L7 8z',
  forward: 'M10 3h2v10h-2zM2 3l7 5-7 5z',
  play: 'M4 2l10 6-10 6z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
} as const;

/** Drawn, as fonts may lack them; its button says what it does. */
export function Icon({ name }: { name: keyof typeof SHAPES }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[name]} />
    </svg>
  );
}
