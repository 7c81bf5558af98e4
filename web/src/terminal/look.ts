/** Colours and sizes of the terminal. The sixteen colours keep a contrast of 4.5 on their own ground, black and white apart. */
import type { ITheme } from '@xterm/xterm';

export const DARK: ITheme = {
  background: '#131417',
  foreground: '#e3e5e9',
  cursor: '#a9b4ff',
  cursorAccent: '#131417',
  selectionBackground: '#3d4580',
  black: '#3a3e46',
  red: '#ff8f85',
  green: '#7fd8a3',
  yellow: '#f0c070',
  blue: '#90b4ff',
  magenta: '#d9a6f0',
  cyan: '#7fd3dd',
  white: '#d5d8de',
  brightBlack: '#8b919c',
  brightRed: '#ffb3ac',
  brightGreen: '#a8ebc3',
  brightYellow: '#f8d89f',
  brightBlue: '#b9d0ff',
  brightMagenta: '#e8c6f8',
  brightCyan: '#aee8ef',
  brightWhite: '#ffffff',
};

export const LIGHT: ITheme = {
  background: '#ffffff',
  foreground: '#1b1c1f',
  cursor: '#3d4bb4',
  cursorAccent: '#ffffff',
  selectionBackground: '#cdd2f5',
  black: '#1b1c1f',
  red: '#ad231c',
  green: '#176639',
  yellow: '#855000',
  blue: '#2549b0',
  magenta: '#83258f',
  cyan: '#0d6672',
  white: '#6a6d74',
  brightBlack: '#595b61',
  brightRed: '#c0271f',
  brightGreen: '#1d7a45',
  brightYellow: '#925a08',
  brightBlue: '#3558cc',
  brightMagenta: '#9a33a8',
  brightCyan: '#12757f',
  brightWhite: '#3a3c41',
};

const SIZES = [10, 11, 12, 13, 14, 15, 16, 18, 20, 24, 28];

/** The next size up or down. */
export function turned(size: number, up: boolean): number {
  const wanted = up ? SIZES.find((one) => one > size) : SIZES.findLast((one) => one < size);
  return wanted ?? size;
}

export function usual(width: number): number {
  return width < 480 ? 12 : 14;
}
