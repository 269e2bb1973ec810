"""Every formula that a laboratory shows is known here, with the tests that compare it with torch.

A formula that is added or changed fails until its test is named. Numbers of the moment count as #.
"""

import importlib
import re
from collections.abc import Iterable

import pytest
from visits import visit

NUMBERS = "test_backprop_lab.test_every_number_equals_its_formula"
BENDS = "test_backprop_lab.test_bends_and_slopes_are_torchs"
RULES = "test_optimizer_race.test_our_five_lines_are_torchs"
REGRESSION = "test_optimizer_race.test_the_regressions_closed_form"
SCORES = "test_practice_lab.test_class_scores_are_counts_of_torch"
SCHEDULES = "test_practice_lab.test_schedules_are_torchs"
VARIANTS = "test_practice_lab.test_flips_rotations_and_crops_are_what_is_written"
LAYERS = "test_practice_lab.test_layer_table_is_the_network"
PLAIN_L1 = "test_regularization_lab.test_l1_through_the_gradient_is_the_penalised_loss"
GATES = "test_architecture_tour.test_gates"
CONVOLUTION = "test_architecture_tour.test_convolution"
ATTENTION = "test_architecture_tour.test_attention"
ON_THE_PAGE = "test_architecture_tour.test_the_numbers_stand_on_the_page"

FORMULAS: dict[str, dict[str, str]] = {
    "backprop_lab": {
        r"h^{(1)} = \tanh\,(W^{(1)} x + b^{(1)})": NUMBERS,
        r"h^{(1)} = \sigma\,(W^{(1)} x + b^{(1)})": NUMBERS,
        r"h^{(1)} = \mathrm{ReLU}\,(W^{(1)} x + b^{(1)})": NUMBERS,
        r"h^{(1)} = \mathrm{LeakyReLU}\,(W^{(1)} x + b^{(1)})": NUMBERS,
        r"p = \sigma\,(W^{(3)} h^{(2)} + b^{(3)})": NUMBERS,
        r"p = \mathrm{softmax}\,(W^{(3)} h^{(2)} + b^{(3)})": NUMBERS,
        r"L = -\ln p = -\ln # = \boldsymbol{#}": NUMBERS,
        r"L = -\ln p_{1} = -\ln # = \boldsymbol{#}": NUMBERS,
        r"L = \tfrac12 \sum_k (p_k - t_k)^2": NUMBERS,
        r"\delta = \frac{\partial L}{\partial z} = (p - t)": NUMBERS,
        r"\delta = \frac{\partial L}{\partial z} = (p - t)\cdot p\,(1-p)": NUMBERS,
        r"\delta^{(1)}_i = \sigma'(z_i)\,\sum_j w^{(2)}_{ji}\,\delta^{(2)}_j": NUMBERS,
        r"\sigma'(z) = 1-h^2": BENDS,
        r"w \leftarrow w - \eta\,\frac{\partial L}{\partial w}": NUMBERS,
        r"\frac{\partial L}{\partial w} \approx \frac{L(w+\varepsilon) - L(w-\varepsilon)}{2\varepsilon}": "test_backprop_lab.test_numeric_gradient_by_one_weight_moved",
    },
    "optimizer_race": {
        r"w^* = (X^\top X)^{-1} X^\top y = (#, #)": REGRESSION,
        r"\kappa = \frac{\lambda_{\max}}{\lambda_{\min}} = \frac{5}{#} = 50": REGRESSION,
        r"\theta \leftarrow \theta - \eta g": RULES,
        r"v \leftarrow \beta v + g,\quad \theta \leftarrow \theta - \eta v": RULES,
        r"v \leftarrow \beta v + g,\quad \theta \leftarrow \theta - \eta\,(g + \beta v)": RULES,
        r"s \leftarrow s + g^2,\quad \theta \leftarrow \theta - \frac{\eta}{\sqrt{s}+\epsilon}\, g": RULES,
        r"s \leftarrow \rho s + (1-\rho)g^2,\quad \theta \leftarrow \theta - \frac{\eta}{\sqrt{s}+\epsilon}\, g": RULES,
        r"\begin{aligned} m &\leftarrow \beta_1 m + (1-\beta_1)g,& \hat m &= \tfrac{m}{1-\beta_1^t}\\ s &\leftarrow \beta_2 s + (1-\beta_2)g^2,& \hat s &= \tfrac{s}{1-\beta_2^t}\\ \theta &\leftarrow \theta - \tfrac{\eta}{\sqrt{\hat s}+\epsilon}\,\hat m \end{aligned}": RULES,
    },
    "regularization_lab": {
        r"L = -\frac1n \sum_i \log p_{y_i}(x_i)": "test_regularization_lab.test_loss_and_gap_are_those_of_the_page",
        r"w \leftarrow \operatorname{sign}(w)\,\max(|w| - \eta\lambda_1,\ 0)": "test_regularization_lab.test_l1_step_is_torchs_soft_threshold",
        r"L + \lambda_1 \textstyle\sum |w|": PLAIN_L1,
        r"w \leftarrow (1 - \eta\lambda_2)\,w": "test_regularization_lab.test_l2_is_the_share_on_the_page_before_adams_step",
        r"\tilde h = \frac{m \odot h}{1-p},\quad P(m_j = 0) = p,\ P(m_j = 1) = 1-p": "test_regularization_lab.test_dropout_is_torchs",
        r"\hat z = \gamma\,\frac{z - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta": "test_regularization_lab.test_batch_norm_is_the_formula_of_the_page",
        r"t^* = \arg\min_t L_{\text{val}}(t),\quad t_{\text{stop}} = t^* + k": "test_regularization_lab.test_early_stopping_keeps_the_minimum_and_waits_as_long_as_it_says",
        r"\tilde x = x + \tfrac{v}{2}\,\xi,\quad \xi \sim \mathcal N(0, 1)": "test_regularization_lab.test_augmentation_does_what_the_page_says",
    },
    "architecture_tour": {
        r"z = b + \sum_{p=1}^{784} w_p\,x_p \qquad h = \max(0, z)": "test_architecture_tour.test_hidden_unit",
        r"\begin{aligned} z &= # + # = # \\ h &= # \end{aligned}": ON_THE_PAGE,
        r"\begin{aligned} z &= b + \sum_{c}\sum_{i,j} w_{c,i,j}\;x_{c,\,r+i,\,s+j} \\ h &= \max(0, z) \end{aligned}": CONVOLUTION,
        r"\begin{aligned} z &= # + # \\ &= # \\ h &= # \end{aligned}": ON_THE_PAGE,
        r"\text{seen}_{p} = \frac{1}{16} \sum_{n=1}^{16} \left|\frac{\partial\,u(x_n)}{\partial x_{n,p}}\right|": "test_architecture_tour.test_what_is_seen_is_the_slope_of_the_sum_of_channels",
        r"\begin{aligned} i, f, o &= \sigma(W x_t + U h_{t-1} + b) \\ g &= \tanh(W x_t + U h_{t-1} + b) \end{aligned}": GATES,
        r"\begin{aligned} c_t &= f\,c_{t-1} + i\,g \\ &= #\cdot# + #\cdot# \\ &= # \end{aligned}": GATES,
        r"\begin{aligned} h_t &= o\,\tanh(c_t) \\ &= #\cdot# = # \end{aligned}": GATES,
        r"\mathrm{softmax}\!\left(\frac{Q K^{\top}}{\sqrt d}\right) V \qquad d = 32": ATTENTION,
        r"s = \frac{q\cdot k}{\sqrt{32}} = #": ATTENTION,
        r"a = \frac{e^{s}}{\sum_{16} e^{s}} = \frac{#}{#} = #": ATTENTION,
    },
    "practice_lab": {
        r"x' = \frac{x}{255}": "test_practice_lab.test_scalings_are_torchs",
        r"x' = \frac{x-\mu}{\sigma}": "test_practice_lab.test_scalings_are_torchs",
        r"(i, j) \mapsto (i, W-1-j)": VARIANTS,
        r"\begin{pmatrix}u'\\v'\end{pmatrix} = \begin{pmatrix}\cos\alpha & -\sin\alpha\\ \sin\alpha & \cos\alpha\end{pmatrix}\begin{pmatrix}u\\v\end{pmatrix}": VARIANTS,
        r"(i, j) \mapsto (i+\Delta_i,\; j+\Delta_j)": VARIANTS,
        r"n = (3\cdot 3\cdot c_\text{in} + b)\,c_\text{out}": LAYERS,
        r"H' = \lfloor H/2 \rfloor": LAYERS,
        r"h' = \gamma\,\frac{h-\mu_B}{\sqrt{\sigma_B^2+\epsilon}} + \beta": "test_practice_lab.test_batch_norm_is_torchs",
        r"\eta_t = \eta\,\frac{t+1}{w} \quad (t < w)": SCHEDULES,
        r"\eta_t = \eta": SCHEDULES,
        r"\eta_t = \frac{\eta}{2}\Bigl(1+\cos\pi\frac{t-w}{T-w}\Bigr)": SCHEDULES,
        r"\eta_t = \eta\cdot\begin{cases}1 & s < \frac12\\ # & s < \frac34\\ #\end{cases},\quad s=\frac{t-w}{T-w}": SCHEDULES,
        r"L = -\frac1B\sum_{b}\log\frac{e^{z_{b,t_b}}}{\sum_k e^{z_{b,k}}}": "test_practice_lab.test_loss_is_torchs",
        r"g \leftarrow \nabla L + \lambda\theta,\quad v \leftarrow \beta v + g,\quad \theta \leftarrow \theta - \eta_t v": "test_practice_lab.test_update_is_torchs",
        r"h' = \frac{m\,h}{1-p},\quad m \in \{0,1\},\; P(m=0)=p": "test_practice_lab.test_dropout_is_what_is_written",
        r"\bar a \pm t_{k-1}\,\frac{s}{\sqrt k}": "test_practice_lab.test_mean_of_folds",
        r"\text{accuracy} = \frac1N\sum_c n_{cc}": SCORES,
        r"\text{precision}_c = \frac{n_{cc}}{\sum_t n_{tc}}": SCORES,
        r"\text{recall}_c = \frac{n_{cc}}{\sum_p n_{cp}}": SCORES,
        r"F_{1,c} = \frac{2\,n_{cc}}{\sum_t n_{tc} + \sum_p n_{cp}}": SCORES,
    },
}
# Links that bring all of a page's formulas on it.
EVERYTHING = {"flip": "true", "rotate": "5", "crop": "1", "batch_norm": "true", "dropout": "0.2"}
LINKS: dict[str, list[dict[str, str]]] = {
    "backprop_lab": [
        *({"activation": bend} for bend in ("tanh", "sigmoid", "relu", "leaky_relu")),
        *({"phase": phase} for phase in "2356"),
        {"phase": "2", "data": "digits"},
        {"phase": "3", "data": "digits"},
        {"phase": "3", "loss": "mse"},
    ],
    "optimizer_race": [{"track": "regression"}, {"track": "regression", "nesterov": "true"}],
    "regularization_lab": [
        {"t": "0", "l1": "true"},
        {"t": "0", "l1": "true", "l1_way": "gradient"},
    ],
    "architecture_tour": [
        {"view": view} for view in ("mlp", "cnn", "reach", "rnn", "speech", "attention")
    ],
    "practice_lab": [
        *({"part": part, "experiment": "folds"} for part in ("data", "model", "evaluate")),
        {"part": "augment"},
        *({"part": "train", "schedule": kind} for kind in ("constant", "stairs", "cosine")),
    ],
}


def shown(page: str, links: Iterable[dict[str, str]]) -> set[str]:
    """The displayed formulas of a page, numbers with decimals as #."""
    found: set[str] = set()
    more = EVERYTHING if page == "practice_lab" else {}
    for link in links:
        at = visit(page, panel="explain", **more, **link)
        words = "\n".join(str(m.value) for m in (*at.markdown, *at.latex))
        found |= {one.strip() for one in re.findall(r"\$\$(.+?)\$\$", words, re.DOTALL)}
    return {re.sub(r"\(-\d+\.\d+\)|-?\d+\.\d+", "#", formula) for formula in found}


@pytest.mark.assets
@pytest.mark.parametrize("page", FORMULAS)
def test_every_formula_shown_has_its_test(page: str) -> None:
    assert shown(page, LINKS[page]) == set(FORMULAS[page])


@pytest.mark.parametrize("name", sorted({t for page in FORMULAS.values() for t in page.values()}))
def test_the_named_tests_exist(name: str) -> None:
    module, function = name.split(".")
    assert callable(getattr(importlib.import_module(module), function))
