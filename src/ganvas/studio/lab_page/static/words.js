// Texts of the theory lab's page beside those of the view: both languages have the same keys.
export default {
  en: {
    "page.language": "中文", "page.light": "Light colours", "page.dark": "Dark colours", "page.skip": "Skip to the content",
    "page.made": "Made with Ganvas {version}", "page.private": "Both networks are trained in this page; nothing is sent anywhere.", "word.working": "Working …",
    "lab.empty": "Nothing was drawn: draw a hill above the line.", "lab.diverged": "Training diverged: a number is not finite. Choose a larger penalty or smaller rates, then press Reset.", "lab.given-up": "A newer game has begun.",
  },
  zh: {
    "page.language": "English", "page.light": "浅色", "page.dark": "深色", "page.skip": "跳到正文",
    "page.made": "由 Ganvas {version} 制作", "page.private": "两个网络都在本页面内训练，不会向外发送任何内容。", "word.working": "处理中……",
    "lab.empty": "什么也没有画：请在直线上方画一座山。", "lab.diverged": "训练发散：出现了非有限的数。请选择更大的惩罚或更小的学习率，然后点“重置”。", "lab.given-up": "新的博弈已经开始。",
  },
};
