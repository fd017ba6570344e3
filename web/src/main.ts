// Owns the start of the page. Must not: do anything else.
import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import './views.css';
import { live } from './live.svelte.ts';
import { place } from './route.svelte.ts';

const target = document.getElementById('app');
if (target !== null) {
  place.start();
  live.start();
  mount(App, { target });
}
