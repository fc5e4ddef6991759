import { useLayoutEffect, useState } from 'preact/hooks';

export interface Size {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** How large an element is, now and whenever it changes; give `ref` to it. */
export function useSize(): { readonly size: Size | undefined; readonly ref: (element: HTMLElement | null) => void } {
  const [element, ref] = useState<HTMLElement | null>(null);
  const [size, setSize] = useState<Size>();
  useLayoutEffect(() => {
    if (element === null) return;
    const measure = (): void => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return { size, ref };
}
