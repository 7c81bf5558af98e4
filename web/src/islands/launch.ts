/**
 * The launch form: errors beside their field as soon as one leaves it, and last time's answers filled in.
 * The server checks everything again; this only saves a round trip.
 */
import { recall, remember } from '../lib/page';

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const FORGETFUL = ['hidden', 'password', 'file', 'submit', 'button'];

function controls(form: HTMLFormElement): Control[] {
  return [...form.elements].filter(
    (element): element is Control =>
      element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement,
  );
}

/** A sentence for what the browser found. */
function complaint(control: Control): string {
  const { validity } = control;
  if (validity.valid) return '';
  const input = control instanceof HTMLInputElement ? control : undefined;
  if (validity.valueMissing) return 'This is needed.';
  if (validity.badInput) return 'Write a number.';
  if (validity.rangeUnderflow) return `At least ${input?.min}.`;
  if (validity.rangeOverflow) return `At most ${input?.max}.`;
  if (validity.stepMismatch) return `In steps of ${input?.step || 1}.`;
  if (validity.tooLong) return `At most ${input?.maxLength} characters.`;
  if (validity.patternMismatch) return input?.title || 'This does not have the right form.';
  return control.validationMessage;
}

function tell(control: Control): boolean {
  const field = control.closest('.field');
  const text = complaint(control);
  if (!field || control.type === 'radio') return text === '';
  const id = `${control.id || control.name}-error`;
  let error = document.getElementById(id);
  field.classList.toggle('field--error', text !== '');
  if (text === '') {
    error?.remove();
    control.removeAttribute('aria-invalid');
    return true;
  }
  if (!error) {
    error = document.createElement('p');
    error.id = id;
    error.className = 'field__error';
    (control.closest('.with-unit') ?? control).before(error);
    const described = new Set((control.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean)).add(id);
    control.setAttribute('aria-describedby', [...described].join(' '));
  }
  error.textContent = text;
  control.setAttribute('aria-invalid', 'true');
  return false;
}

function fill(form: HTMLFormElement, kept: Record<string, unknown>): void {
  for (const control of controls(form)) {
    const value = kept[control.name];
    if (typeof value !== 'string' || FORGETFUL.includes(control.type) || control.disabled) continue;
    if (control instanceof HTMLInputElement && control.type === 'radio') {
      if (control.value === value) control.checked = true;
    } else if (control instanceof HTMLInputElement && control.type === 'checkbox') {
      control.checked = value === 'on';
    } else if (control instanceof HTMLSelectElement) {
      if ([...control.options].some((option) => option.value === value && !option.disabled)) control.value = value;
    } else {
      const given = control.value;
      control.value = value;
      if (!control.validity.valid) control.value = given;
    }
  }
}

function answers(form: HTMLFormElement): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const control of controls(form)) {
    if (!control.name || control.name === 'title' || FORGETFUL.includes(control.type)) continue;
    if (control instanceof HTMLInputElement && control.type === 'radio') {
      if (control.checked) kept[control.name] = control.value;
    } else if (control instanceof HTMLInputElement && control.type === 'checkbox') {
      kept[control.name] = control.checked ? 'on' : 'off';
    } else {
      kept[control.name] = control.value;
    }
  }
  return kept;
}

function last(key: string): Record<string, unknown> {
  try {
    const kept: unknown = JSON.parse(recall(key) ?? '{}');
    return typeof kept === 'object' && kept !== null ? { ...kept } : {};
  } catch {
    return {};
  }
}

export function hydrate(element: HTMLElement, props: Record<string, unknown>): void {
  const form = element instanceof HTMLFormElement ? element : element.querySelector('form');
  if (!form) return;
  const key = `launch.${String(props.app ?? location.pathname)}`;
  // After a refusal the form holds what was typed just now, which is better than last time's.
  if (!form.querySelector('.field--error, .error-summary')) fill(form, last(key));
  form.noValidate = true;
  form.addEventListener('focusout', (event) => {
    const control = controls(form).find((one) => one === event.target);
    if (control) tell(control);
  });
  form.addEventListener('submit', (event) => {
    const wrong = controls(form).filter((control) => !tell(control));
    if (wrong.length > 0) {
      event.preventDefault();
      wrong[0]?.focus();
      return;
    }
    remember(key, JSON.stringify(answers(form)));
  });
}
