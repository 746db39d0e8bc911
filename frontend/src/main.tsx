import { render } from "preact";
import "./styles/tokens.css";

const root = document.getElementById("page");
if (root !== null) render(<h1>Newton Lab</h1>, root);
