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

const occlusionCSS = `#image-occlusion-canvas {
    --inactive-shape-color: #ffeba2;
    --active-shape-color: #ff8e8e;
    --inactive-shape-border: 1px #212121;
    --active-shape-border: 1px #212121;
    --highlight-shape-color: #ff8e8e00;
    --highlight-shape-border: 1px #ff8e8e;
}

.card {
    font-family: Arial;
    font-size: 20px;
    text-align: center;
    color: black;
    background-color: white;
}
`

const occlusionFront = `{{#Header}}<div>{{Header}}</div>{{/Header}}
<div style="display: none">{{cloze:Occlusion}}</div>
<div id="err"></div>
<div id="image-occlusion-container">
    {{Image}}
    <canvas id="image-occlusion-canvas"></canvas>
</div>
<script>
    try {
        anki.imageOcclusion.setup();
    } catch (e) {
        document.getElementById("err").textContent = "The masks cannot be shown here: " + e;
    }
</script>
`

const occlusionBack = occlusionFront + `<div><button id="toggle">Toggle Masks</button></div>
{{#Back Extra}}<div>{{Back Extra}}</div>{{/Back Extra}}
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
