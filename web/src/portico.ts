import './styles/portico.css';
