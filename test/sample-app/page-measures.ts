import type { Page } from 'playwright-core';

export interface MeasuredText {
  text: string;
  /** WCAG 2: from 1, none, to 21, black on white. */
  ratio: number;
}

export interface MeasuredTarget {
  name: string;
  width: number;
  height: number;
}

/** The contrast of each text that shows, with what is painted behind it. */
export function measureContrast(page: Page): Promise<MeasuredText[]> {
  return page.evaluate<MeasuredText[]>(`(() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const isPainted = (color) => channels(color)[3] !== 0;
    const luminance = (color) => {
      const [red, green, blue] = channels(color).map((channel) => {
        const value = channel / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ground = (element) => {
      for (let behind = element; behind; behind = behind.parentElement) {
        const { backgroundColor } = getComputedStyle(behind);
        if (isPainted(backgroundColor)) return backgroundColor;
      }
      return 'rgb(255, 255, 255)';
    };
    const hasText = (element) =>
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
    return [...document.body.querySelectorAll('*')]
      .filter((element) => hasText(element) && element.checkVisibility())
      .map((element) => {
        const lights = [getComputedStyle(element).color, ground(element)].map(luminance);
        const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
        return { text: element.textContent, ratio };
      });
  })()`);
}

/** The size of each thing on the page that can be pressed. */
export function measureTargets(page: Page): Promise<MeasuredTarget[]> {
  return page.evaluate<MeasuredTarget[]>(`[...document.querySelectorAll('a, button, input, summary')]
    .filter((element) => element.checkVisibility())
    .map((element) => {
      const { width, height } = element.getBoundingClientRect();
      return { name: element.textContent || element.id, width, height };
    })`);
}
