package collection

// The texts of the stock notetypes. What they contain is fixed by §4.3, how it is written is not: both sides of a
// sync take them as they are.

// ruler divides question and answer; programs scroll to its id.
const ruler = "\n\n<hr id=answer>\n\n"

const cardCSS = `.card {
    font-family: Arial;
    font-size: 20px;
    line-height: 1.5;
    text-align: center;
    color: black;
    background-color: white;
}
`

const clozeCSS = `.cloze {
    font-weight: bold;
    color: blue;
}
.nightMode .cloze {
    color: lightblue;
}
`

const latexPre = `\documentclass[12pt]{article}
\special{papersize=3in,5in}
\usepackage[utf8]{inputenc}
\usepackage{amssymb,amsmath}
\pagestyle{empty}
\setlength{\parindent}{0in}
\begin{document}
`

const latexPost = `\end{document}`
