/** A button that copies the `<code>` beside it. */
import { icon } from '../lib/icon';
import { copyText } from '../lib/page';
import { toast } from '../lib/toast';

export function hydrate(element: HTMLElement): void {
  const source = element.querySelector('code, pre');
  if (!source) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button';
  button.append(icon('copy'), 'Copy');
  button.addEventListener('click', () => {
    void copyText(source.textContent ?? '').then((done) => {
      toast(done ? 'Copied.' : 'This browser does not let Portico copy: select the text instead.');
    });
  });
  element.classList.add('copy');
  element.append(button);
}
