"""The words of the page that all experiments share, in English and Chinese."""

from dataclasses import dataclass

__all__ = ["CONDITIONS", "LABELS", "MEANINGS", "Story", "Text"]


@dataclass(frozen=True)
class Text:
    """A text in both languages; `{name}` stands for a value, and `code` between grave accents."""

    en: str
    zh: str

    @classmethod
    def of(cls, code: str) -> "Text":
        """Code, which is the same in both languages."""
        return cls(code, code)

    def fill(self, **values: object) -> "Text":
        """The text with its values, of which some may be texts themselves."""
        english, chinese = dict(values), dict(values)
        for name, value in values.items():
            if isinstance(value, Text):
                english[name], chinese[name] = value.en, value.zh
        return Text(self.en.format(**english), self.zh.format(**chinese))


@dataclass(frozen=True)
class Story:
    """What the page of an experiment says.

    Attributes:
        title: a question.
        lines: the setting or the line of code of the broken and of the mended side.
        changed: what differs between both sides.
        see: what one usually sees.
        why: the reason.
        notice: how to notice it in a run of one's own, and what to do.
    """

    title: Text
    lines: tuple[Text, Text]
    changed: Text
    see: Text
    why: Text
    notice: Text


LABELS = {
    "broken": Text("broken", "出问题的"),
    "mended": Text("mended", "修好的"),
    "changed": Text("What was changed", "改了什么"),
    "see": Text("What one sees", "看到什么"),
    "why": Text("Why", "为什么"),
    "notice": Text("How to notice it in your own runs", "怎样在自己的训练中发现它"),
    "along": Text("Along the training, always from the same noise", "训练过程，噪声始终相同"),
    "images": Text("{count} images", "{count} 张图像"),
    "losses": Text("Losses, {side}", "损失，{side}"),
    "checkups": Text("What the doctor measured, {side}", "医生的测量，{side}"),
    "measures": Text("In numbers, measured at the end of this run", "数字，在本次训练结束时测量"),
    "again": Text("Do it again", "再做一次"),
    "seeds": Text(
        "The same seed gives the same result. Try others: --seed 1, --seed 2.",
        "相同的种子得到相同的结果。可以试试别的种子：--seed 1、--seed 2。",
    ),
    "about": Text(
        "Two trainings on {data}, {count} images each, seed {seed}, first weights and batches as "
        "equal as they can be; {broken} and {mended} seconds.",
        "在 {data} 上训练两次，各 {count} 张图像，种子 {seed}，初始权重和批次尽可能相同；"
        "用时 {broken} 秒和 {mended} 秒。",
    ),
    "told": Text(
        "In this run: {label} {broken} when broken, {mended} when mended.",
        "在本次训练中：{label}，出问题时为 {broken}，修好后为 {mended}。",
    ),
    "small": Text(
        "So in this run the difference is small. That happens: compare all numbers, and try "
        "another seed.",
        "因此在本次训练中差别很小。这是可能的：请比较所有数字，并试试别的种子。",
    ),
    "none": Text(
        "So in this run the broken side was not worse. That happens: compare all numbers, and "
        "try another seed.",
        "因此在本次训练中，出问题的一侧并不更差。这是可能的：请比较所有数字，并试试别的种子。",
    ),
    "unmeasured": Text(
        "In this run {label} could not be measured on both sides.",
        "在本次训练中，无法在两侧都测得{label}。",
    ),
    "found": Text("The doctor finds: {names}.", "医生的发现：{names}。"),
    "passed": Text("On the way it had found: {names}.", "途中曾发现：{names}。"),
    "healthy": Text("The doctor finds no problem.", "医生没有发现问题。"),
    "stopped": Text(
        "It broke off after {count} images: a loss was not finite.",
        "训练在 {count} 张图像后中断：损失不是有限的数。",
    ),
}

# The doctor's conditions, as the log names them; the names are the texts' English.
CONDITIONS = {
    "diverging": "发散",
    "dead gradients": "梯度消失",
    "mode collapse": "模式坍塌",
    "partial collapse": "部分坍塌",
    "discriminator wins": "判别器占优",
    "generator wins": "生成器占优",
    "oscillation": "振荡",
    "discriminator memorises": "判别器死记硬背",
    "lattice": "网格纹",
    "one palette": "色调单一",
}

# Of each measure its name, and what it means.
MEANINGS = {
    "distance": (
        Text("distance to real images", "与真实图像的距离"),
        Text(
            "Fréchet distance in features of a random network; lower is better",
            "随机网络特征上的 Fréchet 距离；越低越好",
        ),
    ),
    "classes": (
        Text("classes found", "找到的类别数"),
        Text(
            "classes that enough of 1,000 samples look like (a quarter of their fair share; or, of "
            "those asked for, half)",
            "1,000 个样本中有足够多像它的类别（达到应有份额的四分之一；若指定类别，则达到一半）",
        ),
    ),
    "last_class": (
        Text("samples of the last class that look like it", "最后一类的样本中像该类的比例"),
        Text("of those that were asked to be of it", "指要求生成该类的样本"),
    ),
    "modes": (
        Text("modes found", "找到的模式数"),
        Text(
            "centres with a quarter of their fair share of 1,000 points, or more",
            "1,000 个点中至少得到应有份额四分之一的中心",
        ),
    ),
    "good": (
        Text("good points", "好的点"),
        Text("nearer to a centre than three standard deviations", "与某个中心的距离小于三个标准差"),
    ),
    "copies": (
        Text("distance to the nearest training image", "与最近训练图像的距离"),
        Text(
            "as a share of that of new real images: about 1 is new, near 0 is copied",
            "相对于新的真实图像的同一距离：约为 1 是新的，接近 0 是抄来的",
        ),
    ),
    "brightness": (
        Text("mean brightness", "平均亮度"),
        Text(
            "of the samples: 0 is black, 1 is white; of the real images: {real}",
            "样本：0 为黑，1 为白；真实图像：{real}",
        ),
    ),
    "diversity": (
        Text("diversity", "多样性"),
        Text(
            "how much samples differ, as a share of how much real images do",
            "样本之间的差异，相对于真实图像之间的差异",
        ),
    ),
    "change": (
        Text("change of samples", "样本的变化"),
        Text(
            "how much a sample changes from one checkup to the next, as a share of how much real "
            "images differ",
            "同一噪声的样本从一次检查到下一次的变化，相对于真实图像之间的差异",
        ),
    ),
    "separation": (
        Text("separation", "区分度"),
        Text(
            "pairs in which the discriminator scores the real image higher; 50% is chance",
            "判别器给真实图像打分更高的图像对；50% 为随机",
        ),
    ),
    "score_gap": (
        Text("score gap", "得分差"),
        Text(
            "mean score of real images above that of generated ones",
            "真实图像的平均得分高出生成图像多少",
        ),
    ),
    "score_drop": (
        Text("score drop", "得分下降"),
        Text(
            "how much lower real images score that the discriminator was not trained on",
            "判别器没有见过的真实图像，得分低多少",
        ),
    ),
}
