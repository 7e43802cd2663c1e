"""What the pages say of what goes wrong by networks, losses and rates, on digits."""

from collections.abc import Mapping

from ganvas.whatif.texts import Story, Text

__all__ = ["TRAINING_STORIES"]

TRAINING_STORIES: Mapping[str, Story] = {
    "no-batch-norm": Story(
        title=Text("What if a DCGAN has no batch norm?", "如果 DCGAN 没有批归一化，会怎样？"),
        lines=("conv → bias → ReLU", "conv → batch norm → ReLU"),
        changed=Text(
            "The layers. On the broken side each batch norm of a DCGAN, in both players, is "
            "replaced by a bias; first weights, rates and data are equal.",
            "改了网络层。出问题的一侧，DCGAN 两个网络中的每个批归一化都换成偏置；初始权重、学习"
            "率和数据都相同。",
        ),
        see=Text(
            "The broken side stays grey or shows one shape for a long time, and is behind at every "
            "moment. The mended side shows different digits early.",
            "出问题的一侧长时间是灰色，或只有一种形状，每一时刻都落后。修好的一侧很早就出现不同"
            "的数字。",
        ),
        why=Text(
            "DCGAN draws its first weights with a standard deviation of 0.02, so each layer makes "
            "its signal several times smaller. A batch norm brings each channel back to mean 0 and "
            "standard deviation 1. Without it the noise hardly reaches the image: all samples are "
            "nearly equal, and what the generator learns about one it learns about all.",
            "DCGAN 的初始权重标准差为 0.02，因此每一层都会把信号缩小好几倍。批归一化把每个通道恢"
            "复到均值 0、标准差 1。没有它，"
            "噪声几乎到不了图像：所有样本几乎相同，生成器对一张学到的，就是对所有张学到的。",
        ),
        notice=Text(
            "Look at samples of the untrained GAN: if they differ by less than a grey level, the "
            "signal is lost on the way. The doctor's `diversity` is near 0 at first. Either keep "
            "the norms, or draw larger weights: the standard deviation that suits a layer is about "
            "sqrt(2 / inputs). GANs without norms, such as the recipe `digits`, do the latter.",
            "看看未训练的 GAN 的样本：如果它们的差别小于一个灰度级，信号就在途中丢失了。医生的多"
            "样性开始时接近 0。要么保留归一化，"
            "要么用更大的初始权重：合适的标准差约为 sqrt(2 / 输入数)。没有归一化的 GAN（如配方 "
            "`digits`）采用后者。",
        ),
    ),
    "d-too-fast": Story(
        title=Text("What if the discriminator learns too fast?", "如果判别器学得太快，会怎样？"),
        lines=(
            "optimizers.discriminator.lr = 0.02",
            "optimizers.discriminator.lr = 0.001",
        ),
        changed=Text(
            "One number: the discriminator's learning rate is 20 times as large as the "
            "generator's; on the mended side both are equal. Both sides play the zero-sum game of "
            "the first GAN paper, in which the generator minimises log(1 - D(G(z))).",
            "只改了一个数：判别器的学习率是生成器的 20 倍；修好的一侧两者相等。两侧都进行第一篇 "
            "GAN 论文中的零和博弈，"
            "生成器最小化 log(1 - D(G(z)))。",
        ),
        see=Text(
            "The samples of the broken side stay noise, and do not change at all any more. Its "
            "losses look perfect, and nothing is learned.",
            "出问题的一侧，样本一直是噪声，而且完全不再变化。它的损失看起来很完美，却什么也没学"
            "到。",
        ),
        why=Text(
            "The slope of log(1 - D) in the discriminator's score is -D. When the discriminator is "
            "sure of every fake, D is 0 there, so the generator's gradient is 0: it is not told in "
            "which direction it should go. This is why most GANs use -log D instead, whose "
            "slope is "
            "then -1. It helps, but a discriminator that is far ahead still gives poor directions.",
            "log(1 - D) 对判别器分数的斜率是 -D。当判别器对每张假图都很确定时，D 为 0，生成器的"
            "梯度也就为 0：没有人告诉它该往"
            "哪个方向走。因此多数 GAN 改用 -log D，它的斜率此时为 -1。这有帮助，但遥遥领先的判别"
            "器给出的方向仍然不好。",
        ),
        notice=Text(
            "The discriminator's loss falls to 0 and stays there, `separation` is 100 %, the "
            "gap of "
            "scores grows, and the doctor says `discriminator wins` or `dead gradients`. Lower the "
            "discriminator's rate, e.g. `--set optimizers.discriminator.lr=5e-5`, or give it a "
            "gradient penalty. A loss near 0 is no success in a GAN.",
            "判别器的损失降到 0 并停在那里，区分率为 100 %，分数差不断变大，医生报告判别器占优（"
            "`discriminator wins`）或梯度消失"
            "（`dead gradients`）。降低判别器的学习率，例如 `--set "
            "optimizers.discriminator.lr=5e-5`，或给它加梯度惩罚。在 GAN "
            "中，损失接近 0 不是成功。",
        ),
    ),
    "no-smoothing": Story(
        title=Text("What if there is no label smoothing?", "如果不做标签平滑，会怎样？"),
        lines=("options.real_target = 1.0", "options.real_target = 0.9"),
        changed=Text(
            "One number: the probability towards which the discriminator is trained on real "
            "images, by the setting `--set options.real_target=1`. With 0.9 this is one-sided "
            "label smoothing.",
            "只改了一个数：判别器在真实图片上的目标概率，设置为 `--set options.real_target=1`。"
            "取 0.9 就是单侧标签平滑。",
        ),
        see=Text(
            "The samples of both sides look much the same: on data as easy as these digits the "
            "effect on the images is small. It is seen in the discriminator's scores: without "
            "smoothing it is more sure of itself.",
            "两侧的样本看起来差不多：在这样简单的数字上，对图像的影响很小。影响表现在判别器的分"
            "数上：没有平滑时，它更自信。",
        ),
        why=Text(
            "To say 1 with certainty a score must be infinite, so the discriminator is rewarded "
            "for ever larger scores. With the target 0.9 the best score is log(0.9 / 0.1) = 2.2, "
            "and larger ones cost something. Smaller scores mean smaller and steadier gradients "
            "for the generator. Only the real target is smoothed: smoothing that of the fakes "
            "would praise fakes that are there already.",
            "要肯定地说出 1，分数必须是无穷大，所以判别器的分数越大越受奖励。目标为 0.9 时，最好"
            "的分数是 log(0.9 / 0.1) = 2.2，"
            "更大的要付出代价。分数小，生成器的梯度也就更小、更稳。只平滑真实图片的目标：平滑假"
            "图的目标，会表扬已经存在的假图。",
        ),
        notice=Text(
            "Watch the gap of scores in `ganvas health RUN`: usually it is 1 to 5. If it grows "
            "through the whole run, smoothing is one of the remedies, a gradient penalty is a "
            "stronger one. Do not expect better pictures from smoothing alone.",
            "在 `ganvas health RUN` 中观察分数差：通常为 1 到 5。如果它在整个训练中不断变大，平"
            "滑是一种办法，梯度惩罚是更强的"
            "办法。不要指望单靠平滑就能得到更好的图像。",
        ),
    ),
    "rate-too-high": Story(
        title=Text("What if the learning rates are too high?", "如果学习率太高，会怎样？"),
        lines=("optimizers.*.lr = 0.03", "optimizers.*.lr = 0.003"),
        changed=Text(
            "One number: the learning rate of both players, `--set optimizers.generator.lr=0.03 "
            "--set optimizers.discriminator.lr=0.03` for the recipe `digits`, whose own is 0.003.",
            "只改了一个数：两个网络的学习率，对配方 `digits` 为 `--set "
            "optimizers.generator.lr=0.03 --set "
            "optimizers.discriminator.lr=0.03`，它本来是 0.003。",
        ),
        see=Text(
            "Samples jump from one shape to another and do not become digits, while the mended "
            "side "
            "has them after a few thousand images.",
            "样本从一种形状跳到另一种，变不成数字；而修好的一侧在几千张图片后就有了数字。",
        ),
        why=Text(
            "A gradient tells the direction for a small step only. With large steps each player "
            "answers to a place where the other one has long left, and units of a ReLU network "
            "that "
            "were pushed too far give 0 for every input and never learn again.",
            "梯度只对一小步给出方向。步子大了，每个网络回应的都是对方早已离开的位置；ReLU 网络中"
            "被推得太远的单元对任何输入都"
            "输出 0，再也学不到东西。",
        ),
        notice=Text(
            "Losses jump in the first reports, weights grow (the doctor says `diverging`) or "
            "samples become one image (`mode collapse`). Start again with a tenth of both rates: a "
            "run that went wrong in this way seldom recovers.",
            "损失在最初几次报告中就剧烈跳动，权重不断变大（医生报告发散 `diverging`），或样本变"
            "成同一张图像（模式崩溃 `mode "
            "collapse`）。用两个学习率的十分之一重新开始：这样失败的训练很少能恢复。",
        ),
    ),
}
