"""Drug discovery: SMILES errors, sums over atoms, hidden atoms, splits, drawing, the page."""

from typing import Any

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula
from visits import checked, text, visit

from dlportal.case import Settings
from dlportal.cases.drug_discovery import LABELS, PLACES
from dlportal.cases.known_drugs import DRUGS
from dlportal.data import moleculenet
from dlportal.data.drawn_molecule import ELEMENTS, to_smiles
from dlportal.data.smiles import parse
from dlportal.kinds import molecule
from dlportal.kinds.molecule import PRESENCE, AtomMasker, collate, pack, unpack
from dlportal.kinds.molecule_features import contributions, descriptor_values, descriptors
from dlportal.kinds.rule_of_five import RuleOfFive
from dlportal.messages import InputError
from dlportal.nets.fingerprint_net import BothKinds, FingerprintNet, Reading
from dlportal.nets.molecule_net import Graphs, MoleculeNet, Ranks
from dlportal.nets.property_nets import OneSet, build, familiarity
from dlportal.training import molecule_training
from dlportal.training.events import Run
from dlportal.training.molecule_table import MoleculeBatches, MoleculeTable
from dlportal.training.molecule_training import conformal, mean_auc, number_loss, yes_no_loss
from dlportal.ui.molecule_picture import draw
from dlportal.ui.sketcher import PHENOL
from dlportal.ui.theme import DARK, LIGHT

CASE = "drug_discovery"
ASPIRIN = DRUGS["aspirin"][1]
SOME = [DRUGS[name][1] for name in ("aspirin", "caffeine", "morphine", "cisplatin", "imatinib")]
WRONG = {  # SMILES and the position, from 1, of what is wrong
    "CC(=O": 3,
    "C1CC": 2,
    "c1cccc1": 1,
    "CN(C)(C)(C)C": 2,
    "CCX": 3,
    "C[Zz]C": 2,
    "CC)C": 3,
    "C==C": 3,
    "CC.": 3,
    "=C": 1,
    "C()C": 3,
    "CCc": 3,
    "[Na+": 1,
    "C11": 3,
}


class TestSmiles:
    @pytest.mark.parametrize("smiles", WRONG)
    def test_an_error_names_its_position(self, smiles: str) -> None:
        with pytest.raises(InputError) as caught:
            parse(smiles)
        assert f"Position {WRONG[smiles]} " in str(caught.value)

    @pytest.mark.parametrize("name", DRUGS)
    def test_known_drugs_are_read(self, name: str) -> None:
        assert parse(DRUGS[name][1]).GetNumAtoms() > 4

    def test_structures_are_what_their_names_say(self) -> None:
        formulas = {
            "aspirin": "C9H8O4",
            "caffeine": "C8H10N4O2",
            "morphine": "C17H19NO3",
            "penicillin": "C16H18N2O4S",
            "atorvastatin": "C33H35FN2O5",
            "imatinib": "C29H31N7O",
            "verubecestat": "C17H17F2N5O3S",
            "ethinylestradiol": "C20H24O2",
        }
        for name, formula in formulas.items():
            assert CalcMolFormula(parse(DRUGS[name][1])) == formula

    def test_random_letters_never_break_it(self) -> None:
        rng = np.random.default_rng(0)
        letters = list("CNOcn()[]=#123%+-.@H/\\ lBr*$é")
        for _ in range(400):
            given = "".join(rng.choice(letters, rng.integers(1, 14)))
            try:
                parse(given)
            except InputError as error:
                assert "\n" not in str(error) and len(str(error)) < 400


class TestTable:
    @pytest.mark.parametrize("smiles", SOME)
    def test_parts_add_up_to_the_descriptors(self, smiles: str) -> None:
        mol = Chem.MolFromSmiles(smiles)
        parts, whole = contributions(mol), descriptor_values(mol)
        assert parts.shape == (mol.GetNumAtoms(), len(descriptors()))
        np.testing.assert_allclose(parts.sum(axis=0), whole, rtol=1e-3, atol=1e-3)

    def test_logp_is_shared_by_atom_type(self) -> None:
        """The carbonyl oxygen of acetone lowers logP, its methyl groups raise it."""
        parts = contributions(Chem.MolFromSmiles("CC(=O)C"))
        column = [name for name, _f in descriptors()].index("MolLogP")
        assert parts[2, column] < 0 < parts[0, column]

    def test_packed_molecules_are_the_flat_ones(self) -> None:
        """What serves visitors and what trains see the same graphs."""
        packed = unpack(collate([pack(Chem.MolFromSmiles(s)) for s in SOME]))
        flat = Graphs(*MoleculeTable.of(SOME).take(np.arange(len(SOME))))
        net = build(1).nets["esol"].eval()
        with torch.inference_mode():
            torch.testing.assert_close(net(packed), net(flat), rtol=1e-3, atol=1e-3)

    def test_a_hidden_atom_says_nothing(self) -> None:
        """Whatever a hidden atom is, the answer is the same; seen again, it counts."""
        x = pack(Chem.MolFromSmiles(ASPIRIN))
        other = x.clone()
        other[0, 3, molecule.ATOM] = 7.0
        other[0, 3, molecule.DESCRIPTOR] *= 2
        net = build(1).eval()
        keep = torch.ones(1, x.shape[1])
        keep[0, 3] = 0
        names = tuple("x" * x.shape[1])
        with torch.inference_mode():
            hidden = [net(AtomMasker(t, names).render(keep)) for t in (x, other)]
            seen = [net(t) for t in (x, other)]
        torch.testing.assert_close(hidden[0], hidden[1])
        assert not torch.allclose(seen[0], seen[1])

    def test_all_hidden_is_no_molecule(self) -> None:
        net = build(1).eval()
        tables = [pack(Chem.MolFromSmiles(s)) for s in SOME]
        for table in tables:
            table[..., PRESENCE] = 0
        with torch.inference_mode():
            y = torch.cat([net(table) for table in tables])
        torch.testing.assert_close(y, y[:1].expand_as(y), rtol=1e-4, atol=1e-4)


class TestNets:
    def test_one_set_says_what_all_say(self) -> None:
        net = build(1).eval()
        x = pack(Chem.MolFromSmiles(ASPIRIN))
        with torch.inference_mode():
            everything, bace = net(x), OneSet(net, "bace").eval()(x)
        torch.testing.assert_close(bace[:, PLACES["bace"]], everything[:, PLACES["bace"]])
        assert not bace[:, PLACES["esol"]].any()

    def test_it_overfits_one_batch(self) -> None:
        table = MoleculeTable.of(SOME)
        y = np.array([[-2.0], [1.0], [0.0], [2.0], [-1.0]], np.float32)
        torch.manual_seed(0)
        net = MoleculeNet(build(1).sizes, 1, 2, dropout=0.0)
        net.ranks.fit(table.descriptors)
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
        batch = next(iter(MoleculeBatches(table, np.arange(5), y, 5, 0)(0)))
        for _ in range(60):
            optimizer.zero_grad()
            loss = number_loss(net, batch)
            loss.backward()
            optimizer.step()
        assert loss.item() < 0.02

    def test_fingerprints_count_what_is_there(self) -> None:
        """Morgan's counts, in which a hidden atom no longer is the middle of anything."""
        x = pack(Chem.MolFromSmiles("CCO"))
        net = FingerprintNet(build(1).sizes, 1, 2, Reading())
        whole = net.counts(unpack(x))
        x[0, 2, PRESENCE] = 0
        without = net.counts(unpack(x))
        circles = x[0, :, molecule.CIRCLE].long()
        expected = torch.bincount(circles[circles > 0], minlength=len(whole[0])).float()
        assert torch.equal(whole[0], expected) and whole[0].sum() == 6
        assert (whole - without).sum() == (circles[2] > 0).sum() and not (without > whole).any()

    def test_members_of_one_training_stand_together(self) -> None:
        sizes, fields = build(1).sizes, MoleculeTable.of(SOME).take(np.arange(5))
        graph = MoleculeNet(sizes, 1, 6).eval()
        prints = FingerprintNet(sizes, 1, 6, Reading()).eval()
        said = BothKinds(graph, prints, 3)(Graphs(*fields)).unflatten(0, (3, 4))
        one, other = graph(Graphs(*fields)), prints(Graphs(*fields))
        torch.testing.assert_close(said[:, :2].flatten(0, 1), one)
        torch.testing.assert_close(said[:, 2:].flatten(0, 1), other)

    @pytest.mark.parametrize("prints", [True, False])
    def test_fingerprint_networks_learn(self, prints: bool) -> None:
        table = MoleculeTable.of(SOME)
        y = np.array([[-2.0], [1.0], [0.0], [2.0], [-1.0]], np.float32)
        torch.manual_seed(0)
        reading = Reading(width=32, prints=prints, unseen=0.0, dropout=0.0)
        net = FingerprintNet(build(1).sizes, 1, 2, reading)
        net.ranks.fit(table.descriptors)
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
        batch = next(iter(MoleculeBatches(table, np.arange(5), y, 5, 0)(0)))
        for _ in range(60):
            optimizer.zero_grad()
            loss = number_loss(net, batch)
            loss.backward()
            optimizer.step()
        assert loss.item() < 0.02

    def test_missing_answers_do_not_count(self) -> None:
        table = MoleculeTable.of(SOME)
        net = MoleculeNet(build(1).sizes, 2, 2).eval()
        fields = table.take(np.arange(5))
        y = torch.tensor([[1.0, np.nan]] * 5)
        filled = torch.tensor([[1.0, 0.0]] * 5)
        assert yes_no_loss(net, (*fields, y)) != yes_no_loss(net, (*fields, filled))
        assert torch.isfinite(yes_no_loss(net, (*fields, y)))

    def test_ranks_rise_and_stay_bounded(self) -> None:
        ranks = Ranks(2)
        x = torch.stack([torch.linspace(0, 1e5, 500) ** 2, torch.arange(500) % 3.0], dim=1)
        ranks.fit(x)
        z = ranks(torch.tensor([[-9.0, 0.0], [1e8, 1.0], [4e9, 2.0], [1e12, 9.0]]))
        assert (z[1:] >= z[:-1]).all() and z.abs().max() < 3

    def test_intervals_hold_their_share(self) -> None:
        rng = np.random.default_rng(0)
        said = rng.normal(0, 0.1, (6, 2000))
        y = rng.normal(0, 1, 2000)
        found = conformal(y[:1000], said[:, :1000])
        width = found["reach"] * (said[:, 1000:].std(axis=0) + found["usual_spread"])
        inside = np.abs(y[1000:] - said[:, 1000:].mean(axis=0)) <= width
        assert 0.86 < inside.mean() < 0.94

    def test_familiar_is_what_was_seen(self) -> None:
        net = build(1)
        net.see("bace", [5, 1000])
        assert familiarity(net, "bace", torch.tensor([5, 1000, 0, 7, 8])) == 0.5
        assert familiarity(net, "esol", torch.tensor([5])) == 0.0
        assert familiarity(net, "bace", torch.tensor([0])) == 0.0


def test_yes_and_no_are_learned_again_with_the_validation_molecules(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The full training, on a handful of molecules and for one pass."""
    smiles = tuple(DRUGS[name][1] for name in DRUGS)[:9]
    split = np.array([moleculenet.TRAIN] * 5 + [moleculenet.VALIDATION] * 3 + [moleculenet.TEST])

    def few(name: str) -> moleculenet.Molecules:
        columns = len(moleculenet.SOURCES[name].columns)
        answers = np.tile(np.arange(9.0)[:, None] % 2, (1, columns))
        return moleculenet.Molecules(smiles, answers, split, {})

    monkeypatch.setattr(moleculenet, "load", few)
    monkeypatch.setenv("DLPORTAL_CACHE_DIR", str(tmp_path / "cache"))
    for recipes in (molecule_training.RECIPES, molecule_training.PRINTS):
        for name in recipes:
            monkeypatch.setitem(recipes, name, molecule_training.Recipe(1))
    run = Run(tmp_path)
    nets = molecule_training.train_nets(Settings("full", 0), run)
    best = run.facts["best"]
    assert {"esol-0", "bace-0", "bace-prints-2-all", "tox21-2-all"} <= set(best)
    assert not any(name.startswith(("esol", "lipo")) and "all" in name for name in best)
    assert "auc" in best["bace-0"] and "auc" not in best["bace-0-all"]
    assert set(run.constants["sets"]) == set(moleculenet.SOURCES)
    # A molecule of the validation part is known to the one, not to the other.
    numbers = molecule_training.surroundings(smiles[7])
    assert familiarity(nets, "bbbp", numbers) == 1 > familiarity(nets, "esol", numbers)


class TestData:
    def test_molecules_with_one_scaffold_stay_together(self) -> None:
        smiles = [f"{'C' * n}c1ccccc1" for n in range(1, 9)] + ["C1CCNC1", "c1ccncc1"]
        split = moleculenet.scaffold_split(smiles)
        assert (split[:8] == moleculenet.TRAIN).all()
        assert set(split[8:]) == {moleculenet.VALIDATION, moleculenet.TEST}

    def test_mean_auc_leaves_out_what_it_cannot_judge(self) -> None:
        y = np.array([[1, 1], [0, 1], [1, np.nan], [0, 1]], float)
        said = np.array([[2, 0], [1, 0], [3, 0], [0, 0]], float)
        assert mean_auc(y, said) == 1.0

    def write(self, path: Any, rows: list[str]) -> Any:
        file = path / "mine.csv"
        file.write_text("smiles,Class,note\n" + "\n".join(rows) + "\n", encoding="utf-8")
        return file

    def test_a_csv_is_recognised_and_cleaned(self, tmp_path: Any) -> None:
        file = self.write(tmp_path, ["CCO,1,a", "OCC,0,b", "CCN,1,c", "C(,1,d"])
        assert moleculenet.recognise(file) == "bace"
        found = moleculenet.read(file, "bace")
        assert found.smiles == ("CCN",)  # ethanol stands there twice, with both answers
        assert found.dropped == {"unreadable": 1, "repeated": 2}

    @pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "smiles,Class\nCCO,7\n", "\x00\xff"])
    def test_another_csv_gets_one_sentence(self, content: str, tmp_path: Any) -> None:
        file = tmp_path / "bad.csv"
        file.write_text(content, encoding="utf-8")
        with pytest.raises(InputError):
            moleculenet.read(file, moleculenet.recognise(file))

    @pytest.mark.data
    def test_the_parts_share_no_molecule_and_no_scaffold(self) -> None:
        found = moleculenet.load("esol")
        scaffolds = [
            {moleculenet.scaffold(found.smiles[row]) for row in found.rows(part)}
            for part in range(3)
        ]
        assert not scaffolds[0] & scaffolds[2] and not scaffolds[0] & scaffolds[1]
        assert len(set(found.smiles)) == len(found) == 1117


class TestDrawing:
    def test_the_first_drawing_is_phenol(self) -> None:
        assert to_smiles(PHENOL) == "Oc1ccccc1"

    def test_nothing_drawn_is_nothing(self) -> None:
        assert to_smiles({"atoms": [], "bonds": []}) == ""

    def test_too_many_bonds(self) -> None:
        atoms = [["F", 0, 0], ["C", 1, 1], ["C", 2, 2]]
        with pytest.raises(InputError, match="F in your drawing has too many bonds"):
            to_smiles({"atoms": atoms, "bonds": [[0, 1, 1], [0, 2, 1]]})

    @pytest.mark.parametrize(
        "bad",
        [
            None,
            [],
            {"atoms": [["C", 0, 0]]},
            {"atoms": [["Xx", 0, 0]], "bonds": []},
            {"atoms": [["C", 0, 0]], "bonds": [[0, 5, 1]]},
            {"atoms": [["C", 0, 0]], "bonds": [[0, 0, 1]]},
            {"atoms": [["C", 0, 0]] * 2, "bonds": [[0, 1, 9]]},
            {"atoms": [["C", 0, 0]] * 999, "bonds": []},
        ],
    )
    def test_a_damaged_drawing_gets_one_sentence(self, bad: Any) -> None:
        with pytest.raises(InputError):
            to_smiles(bad)

    def test_random_drawings_never_break_it(self) -> None:
        rng = np.random.default_rng(1)
        for _ in range(200):
            n = int(rng.integers(1, 9))
            atoms = [[str(rng.choice(ELEMENTS)), 0, 0] for _ in range(n)]
            bonds = rng.integers(0, [n, n, 4], (int(rng.integers(0, 9)), 3)).tolist()
            try:
                to_smiles({"atoms": atoms, "bonds": bonds})
            except InputError:
                continue

    @pytest.mark.parametrize("colors", [LIGHT, DARK])
    def test_pictures_carry_signs_beside_colours(self, colors: Any) -> None:
        plain = draw(ASPIRIN, None, (300, 200), colors)
        values = tuple(np.linspace(-1, 1, 13).tolist())
        coloured = draw(ASPIRIN, values, (300, 200), colors)
        assert plain.startswith("<svg") and "note" in coloured and "note" not in plain


def test_aspirin_keeps_the_rule_of_five() -> None:
    rule = RuleOfFive.of(Chem.MolFromSmiles(ASPIRIN))
    assert rule.broken == () and round(rule.weight) == 180
    assert (rule.donors, rule.acceptors) == (1, 4)
    assert RuleOfFive(501, 6, 1, 4).broken == ("weight", "logp")


@pytest.mark.assets
class TestCase:
    def test_sixteen_answers(self, get_case: Any) -> None:
        result = get_case(CASE).predict(ASPIRIN)
        assert len(result.estimates) == len(LABELS) == 16 and len(result.of("tox21")) == 12
        for estimate in result.estimates:
            assert estimate.low <= estimate.value <= estimate.high
            assert estimate.unit or 0 <= estimate.value <= 1

    @pytest.mark.parametrize("given", ["*C", "[H][H]", "C" * 200])
    def test_what_it_has_no_words_for(self, given: str, get_case: Any) -> None:
        with pytest.raises(InputError):
            get_case(CASE).check(given)

    def test_hiding_atoms_covers_the_answer(self, get_case: Any) -> None:
        """Shapley values of the atoms add up to what they say beyond an empty molecule."""
        from dlportal.explain import get_explainer

        case = get_case(CASE).asking(0)
        found = get_explainer("shapley_sampling").explain(case, "CCO", 0, samples=8)
        assert found.parts == ("C1", "C2", "O3")
        assert abs(found.residual or 0) < 1e-3
        assert found.values[2] > found.values[0]  # the hydroxyl group is what dissolves

    def test_it_knows_the_obvious(self, get_case: Any) -> None:
        """Sugar dissolves, a long chain does not; a metal complex is outside."""
        case = get_case(CASE)
        glucose, chain = (case.predict(s) for s in ("OCC1OC(O)C(O)C(O)C1O", "CCCCCCCCCCCCCCCC"))
        assert glucose.of("esol")[0].value > 0 > -5 > chain.of("esol")[0].value
        assert not all(case.predict(DRUGS["cisplatin"][1]).inside.values())

    def test_a_file_like_one_of_the_sets(self, get_case: Any, tmp_path: Any) -> None:
        file = tmp_path / "water.csv"
        column = moleculenet.SOURCES["esol"].columns[0]
        rows = ["CCO,1.1", "CCCCCC,-3.8", "c1ccccc1,-1.6", "CCCCCCCC,-5.2", "OCCO,1.2"]
        file.write_text(f"smiles,{column}\n" + "\n".join(rows) + "\n", encoding="utf-8")
        found = get_case(CASE).evaluate(data=file)
        assert found.n == 5
        assert found.measured.metrics[0].name == "rmse" and found.measured.metrics[0].value < 1.5


@pytest.mark.assets
class TestPage:
    def test_a_typed_molecule(self) -> None:
        at = visit(CASE)
        at.segmented_control(key="source").set_value("text").run()
        checked(at.text_input(key="smiles").set_value("CCO").run())
        assert "C2H6O" in [metric.value for metric in at.metric]

    def test_a_wrong_smiles_is_one_warning(self) -> None:
        at = visit(CASE)
        at.segmented_control(key="source").set_value("text").run()
        checked(at.text_input(key="smiles").set_value("CC(C").run())
        assert any("Position 3" in warning.value for warning in at.warning)

    def test_a_metal_complex_is_marked(self) -> None:
        at = visit(CASE, example="cisplatin")
        assert any("Unlike the training molecules" in w.value for w in at.warning)

    def test_it_says_what_it_is_not_for(self) -> None:
        assert "not for clinical use" in text(visit(CASE))
